import { requirePage } from "../../domain/pages.ts";
import { TierType } from "../artifact/tier.ts";
import { optionalIdentifier } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { toConnection } from "../types/connections.ts";
import { TenantConnection, TenantType, TierStatsType } from "../types/references.ts";
import { pageOfOneTenant } from "./page-of-one-tenant.ts";

TierStatsType.implement({
  description:
    "Artifact counts and bytes in one tier: of a workflow, of a tenant, or of all tenants that the caller may see.",
  fields: (t) => ({
    tier: t.field({ type: TierType, description: "The tier.", resolve: ({ count }) => count.tier }),
    artifactCount: t.field({
      type: "SafeInt",
      description: "Number of artifacts in the tier.",
      resolve: ({ count }) => count.artifactCount,
    }),
    totalBytes: t.field({
      type: "SafeInt",
      description: "Total size of these artifacts' content in bytes.",
      resolve: ({ count }) => count.totalBytes,
    }),
    tenantCount: t.field({
      type: "SafeInt",
      description: "Number of tenants with at least one artifact in the tier.",
      resolve: ({ count }) => count.tenantCount,
    }),
    tenants: t.connection(
      {
        type: TenantType,
        description: "The tenants with at least one artifact in the tier, in name order.",
        resolve: async ({ count, tenantId }, args, { services, principal }) => {
          const page = requirePage(args);
          const tenants =
            tenantId === null
              ? await services.tenants.list(principal, page, count.tier)
              : pageOfOneTenant(tenantId, count.artifactCount > 0, page);
          return toConnection(tenants, (name) => ({ tenantId: name }));
        },
      },
      TenantConnection,
    ),
  }),
});

builder.queryField("tierStats", (t) =>
  t.field({
    needs: "read",
    type: [TierStatsType],
    description: "Artifact counts and bytes in each tier: always HOT, WARM, COLD, in this order.",
    args: {
      tenantId: t.arg.string({
        description:
          "Count only this tenant's artifacts. Default: those of all tenants that the caller may see.",
      }),
    },
    resolve: async (_root, args, { services, principal, reads }) => {
      const tenantId = optionalIdentifier("tenantId", args.tenantId) ?? null;
      const counts =
        tenantId === null
          ? await services.tenants.tierCounts(principal)
          : await reads.loaders.tierCountsOfTenant(tenantId);
      return counts.map((count) => ({ count, tenantId }));
    },
  }),
);
