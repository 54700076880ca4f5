import type { ApiKey } from "../../services/keys.ts";
import { builder } from "../types/builder.ts";
import { RoleType } from "../viewer.ts";

export const ApiKeyType = builder.objectRef<ApiKey>("ApiKey");

export const ApiKeyConnection = builder.connectionObject({ type: ApiKeyType, name: "ApiKeyConnection" });

ApiKeyType.implement({
  description:
    "A key that a program shows to be let in. What it shows is known to nobody else, not to the server either.",
  fields: (t) => ({
    keyId: t.exposeString("keyId", {
      description:
        "16 hexadecimal digits. They stand in the secret, too; and who comes with it is the actor `key:` and these.",
    }),
    name: t.exposeString("name", { nullable: true, description: "What it is for. Null: nobody said." }),
    role: t.expose("role", { type: RoleType, description: "What its holder may do." }),
    tenants: t.exposeStringList("tenants", {
      nullable: true,
      description: "The tenants its holder may see and act on. Null: all of them.",
    }),
    createdAt: t.expose("createdAt", { type: "DateTime", description: "When it was made." }),
    createdBy: t.exposeString("createdBy", { description: "The actor who made it." }),
    expiresAt: t.expose("expiresAt", {
      type: "DateTime",
      nullable: true,
      description: "From when on it is good no longer. Null: it does not expire.",
    }),
    revokedAt: t.expose("revokedAt", {
      type: "DateTime",
      nullable: true,
      description: "When it was revoked. Null: it is not.",
    }),
    revokedBy: t.exposeString("revokedBy", { nullable: true, description: "The actor who revoked it." }),
  }),
});
