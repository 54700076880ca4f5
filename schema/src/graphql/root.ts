import { builder } from "./types/builder.ts";

builder.queryType({
  description:
    "Read-only fields. They return only what the caller may see; anything else looks as if it did not exist. Unless a field says otherwise, it needs READER.",
});

builder.mutationType({
  description:
    "Changes. A field is null exactly when `errors` contains an error for it. Then nothing has changed, unless the error's `outcome` is `unknown`. Several fields in one request run one after the other, and each succeeds or fails independently.",
});

builder.subscriptionType({
  description:
    "Event streams, over WebSocket (graphql-transport-ws) or Server-Sent Events. They need READER.",
});
