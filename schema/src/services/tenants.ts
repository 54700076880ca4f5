import type { Page, PageRequest } from "../domain/pages.ts";
import type { RetentionPolicy } from "../domain/policy.ts";
import type { Principal } from "../domain/principal.ts";
import type { Tier } from "../domain/tiers.ts";

export interface WorkflowName {
  readonly tenantId: string;
  readonly workflowId: string;
}

/** What a tier holds, of everything that a caller may see or of one tenant or workflow. */
export interface TierCount {
  readonly tier: Tier;
  readonly artifactCount: number;
  readonly totalBytes: number;
  /** Tenants with at least one artifact in this tier. */
  readonly tenantCount: number;
}

/** A tenant or a workflow exists from its first artifact, and stays. Lists are in name order. */
export interface TenantService {
  /** Which of these exist, in order; in one snapshot. */
  exist(principal: Principal, tenantIds: readonly string[]): Promise<readonly boolean[]>;
  workflowsExist(principal: Principal, workflows: readonly WorkflowName[]): Promise<readonly boolean[]>;
  /** `tier` given: only tenants with something in it. */
  list(principal: Principal, page: PageRequest, tier?: Tier): Promise<Page<string>>;
  listWorkflows(principal: Principal, tenantId: string, page: PageRequest): Promise<Page<WorkflowName>>;
  /** Always HOT, WARM, COLD, in that order. */
  tierCounts(principal: Principal): Promise<readonly TierCount[]>;
  tierCountsOfTenants(
    principal: Principal,
    tenantIds: readonly string[],
  ): Promise<readonly (readonly TierCount[])[]>;
  tierCountsOfWorkflows(
    principal: Principal,
    workflows: readonly WorkflowName[],
  ): Promise<readonly (readonly TierCount[])[]>;
  /** In force for each of these tenants; null asks for the default. */
  retentionPolicies(
    principal: Principal,
    tenantIds: readonly (string | null)[],
  ): Promise<readonly RetentionPolicy[]>;
}
