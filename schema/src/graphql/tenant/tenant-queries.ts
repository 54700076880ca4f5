import { requireIdentifier } from "../../domain/identifiers.ts";
import { requirePage } from "../../domain/pages.ts";
import { builder } from "../types/builder.ts";
import { toConnection } from "../types/connections.ts";
import { TenantConnection, TenantType } from "../types/references.ts";

builder.queryFields((t) => ({
  tenant: t.field({
    needs: "read",
    type: TenantType,
    nullable: true,
    description: "The tenant with this name. Null if there is none.",
    args: { tenantId: t.arg.string({ required: true, description: "The tenant's name." }) },
    resolve: async (_root, args, { reads }) => {
      const tenantId = requireIdentifier("tenantId", args.tenantId);
      return (await reads.loaders.tenantExists(tenantId)) ? { tenantId } : null;
    },
  }),
  tenants: t.connection(
    {
      needs: "read",
      type: TenantType,
      description: "The tenants that the caller may see, in name order.",
      resolve: async (_root, args, { services, principal }) =>
        toConnection(await services.tenants.list(principal, requirePage(args)), (tenantId) => ({ tenantId })),
    },
    TenantConnection,
  ),
}));
