import type { ApiKey } from "../../services/keys.ts";
import { changing } from "../execution/changing.ts";
import { IDEMPOTENCY_KEY, optionalIdempotencyKey } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { ApiKeyType } from "./api-key.ts";

const RevokeApiKeyInput = builder.inputType("RevokeApiKeyInput", {
  description: "The key to revoke.",
  fields: (t) => ({
    keyId: t.string({ required: true, description: "The key's `keyId`. An unknown id: NOT_FOUND." }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const RevokeApiKeyPayload = builder.objectRef<{ readonly apiKey: ApiKey }>("RevokeApiKeyPayload").implement({
  description: "The revoked key.",
  fields: (t) => ({
    apiKey: t.expose("apiKey", {
      type: ApiKeyType,
      description: "The key after the call. A key that was already revoked is unchanged.",
    }),
  }),
});

builder.mutationField("revokeApiKey", (t) =>
  t.field({
    type: RevokeApiKeyPayload,
    nullable: true,
    needs: "manageKeys",
    description:
      "Revokes an API key. Requests with this key are then rejected. Its open subscriptions end immediately; its uploads and downloads end at their next chunk. Needs ADMIN.",
    args: { input: t.arg({ type: RevokeApiKeyInput, required: true, description: "The key to revoke." }) },
    resolve: (_root, { input }, context) =>
      changing(context, async ({ keys }) => ({
        apiKey: await keys.revoke(context.principal, input.keyId, optionalIdempotencyKey(input)),
      })),
  }),
);
