import { seesTenant } from "@tierkeep/schema/domain/rights";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import type { TenantService, TierCount } from "@tierkeep/schema/services/tenants";
import { emptyPage, narrowed, ofVisible, type Rules } from "./rule.ts";

const NOTHING: readonly TierCount[] = TIERS.map((tier) => ({
  tier,
  artifactCount: 0,
  totalBytes: 0,
  tenantCount: 0,
}));

/** Another tenant is not looked up: it neither exists nor has anything, and the default policy is what it would have. */
export const tenantRules: Rules<TenantService> = {
  exist: (principal, proceed, tenantIds) =>
    ofVisible(tenantIds, (tenantId) => seesTenant(principal, tenantId), proceed, false),
  workflowsExist: (principal, proceed, workflows) =>
    ofVisible(workflows, ({ tenantId }) => seesTenant(principal, tenantId), proceed, false),
  list: narrowed,
  listWorkflows: async (principal, proceed, tenantId, page) =>
    seesTenant(principal, tenantId) ? proceed(tenantId, page) : emptyPage(),
  tierCounts: narrowed,
  tierCountsOfTenants: (principal, proceed, tenantIds) =>
    ofVisible(tenantIds, (tenantId) => seesTenant(principal, tenantId), proceed, NOTHING),
  tierCountsOfWorkflows: (principal, proceed, workflows) =>
    ofVisible(workflows, ({ tenantId }) => seesTenant(principal, tenantId), proceed, NOTHING),
  retentionPolicies: (principal, proceed, tenantIds) =>
    proceed(
      tenantIds.map((tenantId) => (tenantId !== null && seesTenant(principal, tenantId) ? tenantId : null)),
    ),
};
