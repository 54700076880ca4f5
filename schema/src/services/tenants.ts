import type { Page, PageRequest } from "../domain/pages.ts";
import type { RetentionPolicy } from "../domain/policy.ts";
import type { Principal } from "../domain/principal.ts";
import type { Tier } from "../domain/tiers.ts";

export interface WorkflowName {
  readonly tenantId: string;
  readonly workflowId: string;
}

/**
 * Artifact counts and bytes in one tier: of a workflow, of a tenant, or of all tenants that the caller may
 * see.
 */
export interface TierCount {
  readonly tier: Tier;
  readonly artifactCount: number;
  readonly totalBytes: number;
  /** Number of tenants with at least one artifact in this tier. */
  readonly tenantCount: number;
}

/**
 * Reads tenants and workflows. Each exists from its first artifact on, and remains. Lists are in name order.
 */
export interface TenantService {
  /** Returns whether each of these exists, in their order, from one snapshot. */
  exist(principal: Principal, tenantIds: readonly string[]): Promise<readonly boolean[]>;
  workflowsExist(principal: Principal, workflows: readonly WorkflowName[]): Promise<readonly boolean[]>;
  /** Lists tenants. With `tier`, only tenants with at least one artifact in it. */
  list(principal: Principal, page: PageRequest, tier?: Tier): Promise<Page<string>>;
  listWorkflows(principal: Principal, tenantId: string, page: PageRequest): Promise<Page<WorkflowName>>;
  /** Returns the counts of HOT, WARM and COLD, in that order. */
  tierCounts(principal: Principal): Promise<readonly TierCount[]>;
  tierCountsOfTenants(
    principal: Principal,
    tenantIds: readonly string[],
  ): Promise<readonly (readonly TierCount[])[]>;
  tierCountsOfWorkflows(
    principal: Principal,
    workflows: readonly WorkflowName[],
  ): Promise<readonly (readonly TierCount[])[]>;
  /** Returns the retention policy in force for each of these tenants; null returns the default. */
  retentionPolicies(
    principal: Principal,
    tenantIds: readonly (string | null)[],
  ): Promise<readonly RetentionPolicy[]>;
}
