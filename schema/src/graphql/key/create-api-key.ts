import { Refused } from "../../domain/refusals.ts";
import type { CreatedApiKey } from "../../services/keys.ts";
import { changing } from "../execution/changing.ts";
import { IDEMPOTENCY_KEY, optionalIdempotencyKey } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { RoleType } from "../viewer.ts";
import { ApiKeyType } from "./api-key.ts";

const CreateApiKeyInput = builder.inputType("CreateApiKeyInput", {
  description: "The new key's role, tenants and lifetime.",
  fields: (t) => ({
    name: t.string({ description: "The purpose of the key, up to 100 characters. Events include it." }),
    role: t.field({ type: RoleType, required: true, description: "The role of a caller with this key." }),
    tenantIds: t.stringList({
      description:
        "The tenants that a caller with this key may see and act on, at least one. Omit it for the role ADMIN, which has all tenants.",
    }),
    allTenants: t.boolean({
      required: true,
      defaultValue: false,
      description: "Gives the key all tenants, existing and future, instead of `tenantIds`.",
    }),
    expiresInDays: t.float({
      description: "Lifetime of the key in days, up to 3650. Default: the key does not expire.",
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const CreateApiKeyPayload = builder.objectRef<CreatedApiKey>("CreateApiKeyPayload").implement({
  description: "The new key and its secret.",
  fields: (t) => ({
    apiKey: t.expose("apiKey", { type: ApiKeyType, description: "The new key." }),
    secret: t.exposeString("secret", {
      nullable: true,
      description:
        "The secret. Send it as `Authorization: Bearer SECRET`. It is returned only once and not stored. Null on a retry with the same idempotency key: if the first response was lost, revoke the key and create another one.",
    }),
  }),
});

builder.mutationField("createApiKey", (t) =>
  t.field({
    type: CreateApiKeyPayload,
    nullable: true,
    needs: "manageKeys",
    description:
      "Creates an API key. Needs ADMIN. The response contains the secret, which cannot be read again.",
    args: { input: t.arg({ type: CreateApiKeyInput, required: true, description: "The key to create." }) },
    resolve: (_root, { input }, context) =>
      changing(context, ({ keys }) =>
        keys.create(context.principal, {
          name: input.name ?? undefined,
          role: input.role,
          tenantIds: tenantsOf(input),
          expiresInDays: input.expiresInDays ?? undefined,
          idempotencyKey: optionalIdempotencyKey(input),
        }),
      ),
  }),
);

/**
 * Returns the key's tenants; null for all. A missing list is rejected rather than read as all tenants.
 *
 * @throws Refused BAD_USER_INPUT
 */
function tenantsOf(input: typeof CreateApiKeyInput.$inferInput): readonly string[] | null {
  const tenantIds = input.tenantIds ?? null;
  if ((tenantIds === null) === (input.allTenants || input.role === "ADMIN")) return tenantIds;
  throw new Refused(
    "BAD_USER_INPUT",
    "Give either tenantIds or allTenants: true. For the role ADMIN, give neither.",
    {
      argument: "input.tenantIds",
    },
  );
}
