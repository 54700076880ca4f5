import type { Principal, Role } from "../domain/principal.ts";
import { builder } from "./types/builder.ts";
import { described } from "./types/described-enum.ts";

export const RoleType = builder.enumType("Role", {
  description:
    "What a caller may do. Each role includes the ones before it: READER, WRITER, OPERATOR, ADMIN.",
  values: described<Role>({
    READER: "Every query and subscription, and downloads.",
    WRITER: "Also write, promote and restore artifacts.",
    OPERATOR: "Also purge and verify artifacts, run the lifecycle and cancel jobs, within its tenants.",
    ADMIN: "Also reindex, and whatever goes over all tenants.",
  }),
});

const Viewer = builder.objectRef<Principal>("Viewer");

Viewer.implement({
  description: "The caller, as the server knows it.",
  fields: (t) => ({
    actor: t.exposeString("actor", {
      description: "The name under which its actions stand in the event log.",
    }),
    role: t.expose("role", { type: RoleType, description: "What it may do." }),
    tenants: t.exposeStringList("tenants", {
      nullable: true,
      description: "The tenants it may see and act on. Null: all of them.",
    }),
  }),
});

builder.queryField("viewer", (t) =>
  t.field({
    needs: "read",
    type: Viewer,
    description: "Who you are to this server.",
    resolve: (_root, _args, { principal }) => principal,
  }),
);
