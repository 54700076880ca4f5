import type { Page, PageRequest } from "@tierkeep/schema/domain/pages";
import type { RetentionPolicy } from "@tierkeep/schema/domain/policy";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import type { TenantService, TierCount, WorkflowName } from "@tierkeep/schema/services/tenants";
import type { Catalog, HeldByTier } from "../catalog/catalog.ts";
import { connectionPage } from "./connection-page.ts";
import { keysetCursors, namePositions } from "./keyset-cursor.ts";

/** Tenants and workflows, and what they hold, as the catalog counts it. */
export class EngineTenants implements TenantService {
  readonly #catalog: Catalog;
  readonly #policy: RetentionPolicy;

  /** @param policy in force for every tenant */
  constructor(catalog: Catalog, policy: RetentionPolicy) {
    this.#catalog = catalog;
    this.#policy = policy;
  }

  exist(_principal: Principal, tenantIds: readonly string[]): Promise<readonly boolean[]> {
    return this.#catalog.tenantsExist(tenantIds);
  }

  workflowsExist(_principal: Principal, workflows: readonly WorkflowName[]): Promise<readonly boolean[]> {
    return this.#catalog.workflowsExist(workflows);
  }

  async list(_principal: Principal, page: PageRequest, tier?: Tier): Promise<Page<string>> {
    return connectionPage(page, {
      // A query selects the lists of all three tiers together, with the same arguments: one cursor must do for all of them.
      cursors: keysetCursors({ list: tier === undefined ? "tenants" : "tenantsByTier" }, namePositions),
      list: (stretch) => this.#catalog.listTenants(tier ?? null, stretch),
      positionOf: (name) => name,
      nodeOf: (name) => name,
      count: () => this.#catalog.countTenants(tier ?? null),
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
      list: (stretch) => this.#catalog.listWorkflows(tenantId, stretch),
      positionOf: (name) => name,
      nodeOf: (workflowId) => ({ tenantId, workflowId }),
      count: () => this.#catalog.countWorkflows(tenantId),
      indexed: true,
    });
  }

  async tierCounts(_principal: Principal): Promise<readonly TierCount[]> {
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
    return (await this.#catalog.heldByTenants(tenantIds)).map(countsOfOne);
  }

  async tierCountsOfWorkflows(
    _principal: Principal,
    workflows: readonly WorkflowName[],
  ): Promise<readonly (readonly TierCount[])[]> {
    return (await this.#catalog.heldByWorkflows(workflows)).map(countsOfOne);
  }

  async retentionPolicies(
    _principal: Principal,
    tenantIds: readonly (string | null)[],
  ): Promise<readonly RetentionPolicy[]> {
    return tenantIds.map(() => this.#policy);
  }
}

/** What one tenant, or a part of one, holds. */
function countsOfOne(held: HeldByTier): readonly TierCount[] {
  return TIERS.map((tier) => ({ tier, ...held[tier], tenantCount: held[tier].artifactCount > 0 ? 1 : 0 }));
}
