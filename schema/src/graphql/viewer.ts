import type { Principal, Role } from "../domain/principal.ts";
import { builder } from "./types/builder.ts";
import { described } from "./types/described-enum.ts";

export const RoleType = builder.enumType("Role", {
  description:
    "The role of a caller. In the order READER, WRITER, OPERATOR, ADMIN, each role includes the rights of those before it.",
  values: described<Role>({
    READER: "May use subscriptions and the queries that need no higher role, and download artifacts.",
    WRITER: "May also write, promote and restore artifacts.",
    OPERATOR:
      "May also purge and verify artifacts, run the lifecycle and cancel jobs, within the caller's tenants.",
    ADMIN:
      "May act on all tenants. May also reindex, confirm a reindex, and manage the quarantine and API keys.",
  }),
});

const Viewer = builder.objectRef<Principal>("Viewer");

Viewer.implement({
  description: "The authenticated caller.",
  fields: (t) => ({
    actor: t.exposeString("actor", {
      description: "The caller's name in the event log.",
    }),
    role: t.expose("role", { type: RoleType, description: "The caller's role." }),
    tenants: t.exposeStringList("tenants", {
      nullable: true,
      description: "The tenants that the caller may see and act on. Null: all tenants.",
    }),
  }),
});

builder.queryField("viewer", (t) =>
  t.field({
    needs: "read",
    type: Viewer,
    description: "The caller of this request: its name, role and tenants.",
    resolve: (_root, _args, { principal }) => principal,
  }),
);
