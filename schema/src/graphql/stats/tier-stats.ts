import { requirePage } from "../../domain/pages.ts";
import { TierType } from "../artifact/tier.ts";
import { optionalIdentifier } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { toConnection } from "../types/connections.ts";
import { TenantConnection, TenantType, TierStatsType } from "../types/references.ts";
import { pageOfOneTenant } from "./page-of-one-tenant.ts";

TierStatsType.implement({
  description: "What a tier holds: of everything you may see, of a tenant, or of a workflow.",
  fields: (t) => ({
    tier: t.field({ type: TierType, description: "The tier.", resolve: ({ count }) => count.tier }),
    artifactCount: t.field({
      type: "SafeInt",
      description: "How many artifacts are in it.",
      resolve: ({ count }) => count.artifactCount,
    }),
    totalBytes: t.field({
      type: "SafeInt",
      description: "The sizes of their contents added up, in bytes.",
      resolve: ({ count }) => count.totalBytes,
    }),
    tenantCount: t.field({
      type: "SafeInt",
      description: "How many tenants have at least one artifact in it.",
      resolve: ({ count }) => count.tenantCount,
    }),
    tenants: t.connection(
      {
        type: TenantType,
        description: "The tenants that have at least one artifact in it, by name.",
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
    description: "What each tier holds: always HOT, WARM, COLD, in this order.",
    args: {
      tenantId: t.arg.string({ description: "Of this tenant alone. Left out: of all that you may see." }),
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
