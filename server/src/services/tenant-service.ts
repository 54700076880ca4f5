import type { Page, PageRequest } from "@tierkeep/schema/domain/pages";
import type { RetentionPolicy } from "@tierkeep/schema/domain/policy";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import type { TenantService, TierCount, WorkflowName } from "@tierkeep/schema/services/tenants";
import type { Catalog, UsageByTier } from "../catalog/catalog.ts";
import { connectionPage } from "./connection-page.ts";
import { keysetCursors, namePositions } from "./keyset-cursor.ts";
import { tenantScopeOf } from "./tenant-scope.ts";

/** Tenants, workflows and their usage, as the catalog counts them. */
export class EngineTenants implements TenantService {
  readonly #catalog: Catalog;
  readonly #policy: () => RetentionPolicy;

  /** @param policy the policy in force now, for every tenant */
  constructor(catalog: Catalog, policy: () => RetentionPolicy) {
    this.#catalog = catalog;
    this.#policy = policy;
  }

  exist(_principal: Principal, tenantIds: readonly string[]): Promise<readonly boolean[]> {
    return this.#catalog.tenantsExist(tenantIds);
  }

  workflowsExist(_principal: Principal, workflows: readonly WorkflowName[]): Promise<readonly boolean[]> {
    return this.#catalog.workflowsExist(workflows);
  }

  async list(principal: Principal, page: PageRequest, tier?: Tier): Promise<Page<string>> {
    const scope = tenantScopeOf(principal);
    return connectionPage(page, {
      // One query selects the lists of all three tiers with the same arguments, so one cursor must work for
      // all of them.
      cursors: keysetCursors({ list: tier === undefined ? "tenants" : "tenantsByTier" }, namePositions),
      list: (window) => this.#catalog.listTenants(tier ?? null, window, scope),
      positionOf: (name) => name,
      nodeOf: (name) => name,
      count: () => this.#catalog.countTenants(tier ?? null, scope),
      indexed: true,
    });
  }

  async listWorkflows(
    _principal: Principal,
    tenantId: string,
    page: PageRequest,
  ): Promise<Page<WorkflowName>> {
    return connectionPage(page, {
      cursors: keysetCursors({ list: "workflows", filter: { tenantId } }, namePositions),
      list: (window) => this.#catalog.listWorkflows(tenantId, window),
      positionOf: (name) => name,
      nodeOf: (workflowId) => ({ tenantId, workflowId }),
      count: () => this.#catalog.countWorkflows(tenantId),
      indexed: true,
    });
  }

  async tierCounts(principal: Principal): Promise<readonly TierCount[]> {
    const { tenants } = tenantScopeOf(principal);
    if (tenants !== undefined) return addedUp((await this.#catalog.usageByTenants(tenants)).map(countsOfOne));
    const [held, tenantCounts] = await Promise.all([
      this.#catalog.held(),
      Promise.all(TIERS.map((tier) => this.#catalog.countTenants(tier))),
    ]);
    return TIERS.map((tier, index) => ({ tier, ...held[tier], tenantCount: tenantCounts[index] ?? 0 }));
  }

  async tierCountsOfTenants(
    _principal: Principal,
    tenantIds: readonly string[],
  ): Promise<readonly (readonly TierCount[])[]> {
    return (await this.#catalog.usageByTenants(tenantIds)).map(countsOfOne);
  }

  async tierCountsOfWorkflows(
    _principal: Principal,
    workflows: readonly WorkflowName[],
  ): Promise<readonly (readonly TierCount[])[]> {
    return (await this.#catalog.usageByWorkflows(workflows)).map(countsOfOne);
  }

  async retentionPolicies(
    _principal: Principal,
    tenantIds: readonly (string | null)[],
  ): Promise<readonly RetentionPolicy[]> {
    const policy = this.#policy();
    return tenantIds.map(() => policy);
  }
}

function addedUp(counts: readonly (readonly TierCount[])[]): readonly TierCount[] {
  return TIERS.map((tier, index) => {
    const inTier = counts.flatMap((each) => each[index] ?? []);
    const sum = (of: (count: TierCount) => number) => inTier.reduce((total, count) => total + of(count), 0);
    return {
      tier,
      artifactCount: sum(({ artifactCount }) => artifactCount),
      totalBytes: sum(({ totalBytes }) => totalBytes),
      tenantCount: sum(({ tenantCount }) => tenantCount),
    };
  });
}

/** Returns the counts of one tenant or workflow. */
function countsOfOne(held: UsageByTier): readonly TierCount[] {
  return TIERS.map((tier) => ({ tier, ...held[tier], tenantCount: held[tier].artifactCount > 0 ? 1 : 0 }));
}
