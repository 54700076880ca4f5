import { Refused } from "../../domain/refusals.ts";
import type { CreatedApiKey } from "../../services/keys.ts";
import { changing } from "../execution/changing.ts";
import { IDEMPOTENCY_KEY, optionalIdempotencyKey } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { RoleType } from "../viewer.ts";
import { ApiKeyType } from "./api-key.ts";

const CreateApiKeyInput = builder.inputType("CreateApiKeyInput", {
  description: "What the key's holder may do, and where.",
  fields: (t) => ({
    name: t.string({ description: "What it is for: up to 100 characters, which events repeat." }),
    role: t.field({ type: RoleType, required: true, description: "What its holder may do." }),
    tenantIds: t.stringList({
      description:
        "The tenants that its holder may see and act on, at least one. ADMIN has all of them: leave it out.",
    }),
    allTenants: t.boolean({
      required: true,
      defaultValue: false,
      description: "In place of tenantIds: all tenants, now and later.",
    }),
    expiresInDays: t.float({
      description: "How long it is good for, up to 3650 days. Default: until it is revoked.",
    }),
    idempotencyKey: t.string({ description: IDEMPOTENCY_KEY }),
  }),
});

const CreateApiKeyPayload = builder.objectRef<CreatedApiKey>("CreateApiKeyPayload").implement({
  description: "The key, and what its holder shows.",
  fields: (t) => ({
    apiKey: t.expose("apiKey", { type: ApiKeyType, description: "What is known of it." }),
    secret: t.exposeString("secret", {
      nullable: true,
      description:
        "What its holder sends: `Authorization: Bearer` and this. It is shown this once and kept nowhere. Null: this repeats a call that has shown it; where that answer was lost, revoke the key and make another one.",
    }),
  }),
});

builder.mutationField("createApiKey", (t) =>
  t.field({
    type: CreateApiKeyPayload,
    nullable: true,
    needs: "manageKeys",
    description: "Makes a key that a program shows to be let in. Needs ADMIN.",
    args: { input: t.arg({ type: CreateApiKeyInput, required: true, description: "What it is for." }) },
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

/** All of them only where that is said: a list that was forgotten gives nothing. */
function tenantsOf(input: typeof CreateApiKeyInput.$inferInput): readonly string[] | null {
  const tenantIds = input.tenantIds ?? null;
  if ((tenantIds === null) === (input.allTenants || input.role === "ADMIN")) return tenantIds;
  throw new Refused("BAD_USER_INPUT", "Give either tenantIds or allTenants: true; to an ADMIN, neither.", {
    argument: "input.tenantIds",
  });
}
