import { builder } from "./types/builder.ts";

builder.queryType({
  description: "Reading. Changes nothing, and shows only what the caller may see.",
});

builder.mutationType({
  description:
    "Changing. A field is null exactly when `errors` holds its refusal; then nothing has changed, unless the refusal's `outcome` is `unknown`. Several fields in one request run one after the other, each on its own.",
});

builder.subscriptionType({
  description: "Watching, over WebSocket (graphql-transport-ws) or Server-Sent Events.",
});
