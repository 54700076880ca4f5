import type { ApiKey } from "../../services/keys.ts";
import { changing } from "../execution/changing.ts";
import { IDEMPOTENCY_KEY, optionalIdempotencyKey } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { ApiKeyType } from "./api-key.ts";

const RevokeApiKeyInput = builder.inputType("RevokeApiKeyInput", {
  description: "Which key.",
  fields: (t) => ({
    keyId: t.string({ required: true, description: "Its keyId. Of no key: NOT_FOUND." }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const RevokeApiKeyPayload = builder.objectRef<{ readonly apiKey: ApiKey }>("RevokeApiKeyPayload").implement({
  description: "The key.",
  fields: (t) => ({
    apiKey: t.expose("apiKey", {
      type: ApiKeyType,
      description: "As it is now; one that was revoked before is as it was.",
    }),
  }),
});

builder.mutationField("revokeApiKey", (t) =>
  t.field({
    type: RevokeApiKeyPayload,
    nullable: true,
    needs: "manageKeys",
    description:
      "Lets nobody in with this key any more, and ends what is under way with it: subscriptions at once, uploads and downloads at their next chunk. Needs ADMIN.",
    args: { input: t.arg({ type: RevokeApiKeyInput, required: true, description: "Which one." }) },
    resolve: (_root, { input }, context) =>
      changing(context, async ({ keys }) => ({
        apiKey: await keys.revoke(context.principal, input.keyId, optionalIdempotencyKey(input)),
      })),
  }),
);
