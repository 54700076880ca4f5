import type { ApiKey } from "../../services/keys.ts";
import { builder } from "../types/builder.ts";
import { RoleType } from "../viewer.ts";

export const ApiKeyType = builder.objectRef<ApiKey>("ApiKey");

export const ApiKeyConnection = builder.connectionObject({ type: ApiKeyType, name: "ApiKeyConnection" });

ApiKeyType.implement({
  description: "An API key. The server stores only a hash of its secret.",
  fields: (t) => ({
    keyId: t.exposeString("keyId", {
      description:
        "The key's id: 16 hexadecimal digits. The secret contains it. A caller with this key has the actor `key:` followed by the id.",
    }),
    name: t.exposeString("name", {
      nullable: true,
      description: "The purpose of the key. Null if it was created without a name.",
    }),
    role: t.expose("role", { type: RoleType, description: "The role of a caller with this key." }),
    tenants: t.exposeStringList("tenants", {
      nullable: true,
      description: "The tenants that a caller with this key may see and act on. Null: all tenants.",
    }),
    createdAt: t.expose("createdAt", { type: "DateTime", description: "When the key was created." }),
    createdBy: t.exposeString("createdBy", { description: "The actor that created the key." }),
    expiresAt: t.expose("expiresAt", {
      type: "DateTime",
      nullable: true,
      description: "When the key expires. Null if it does not expire.",
    }),
    revokedAt: t.expose("revokedAt", {
      type: "DateTime",
      nullable: true,
      description: "When the key was revoked. Null if it is not revoked.",
    }),
    revokedBy: t.exposeString("revokedBy", {
      nullable: true,
      description: "The actor that revoked the key. Null if it is not revoked.",
    }),
  }),
});
