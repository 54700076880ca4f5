import { compareNames } from "@tierkeep/schema/domain/keys";
import { TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import type { WorkflowName } from "@tierkeep/schema/services/tenants";
import type { PageWindow, TenantScope, UsageByTier } from "../../catalog.ts";
import type { Cell, Connection } from "../connection.ts";
import { noUsage, PREFIXED_USAGE_COLUMNS } from "../rows/usage-columns.ts";
import { columnWalk, inOrder } from "./page-window.ts";

const NO_USAGE = usageByTier(noUsage());

/**
 * Reads tenants, workflows and their usage, on one connection. Each read is one statement, whatever the
 * number of keys.
 */
export class UsageReads {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  tenantsExist(tenantIds: readonly string[]): readonly boolean[] {
    const sql = `SELECT k.key FROM json_each(?) k CROSS JOIN tenant t ON t.name = k.value WHERE t.present = 1`;
    return this.#exist(sql, tenantIds);
  }

  workflowsExist(workflows: readonly WorkflowName[]): readonly boolean[] {
    const sql = `SELECT k.key FROM json_each(?) k CROSS JOIN tenant t ON t.name = k.value ->> 0
      CROSS JOIN workflow w ON w.tenant = t.id AND w.name = k.value ->> 1 WHERE w.present = 1`;
    return this.#exist(sql, workflows.map(pair));
  }

  /** Returns those of these tenants that have artifacts, in order of names. */
  holding(tenants: readonly string[]): readonly string[] {
    return this.#among(tenants, "t.tiers <> 0");
  }

  listTenants(
    tier: Tier | null,
    window: PageWindow<string>,
    { tenants }: TenantScope = {},
  ): readonly string[] {
    if (tenants !== undefined) {
      const { after, before, backward, limit } = window;
      const within = this.#among(tenants, holds(tier)).filter(
        (name) =>
          (after === null || compareNames(name, after) > 0) &&
          (before === null || compareNames(name, before) < 0),
      );
      return backward ? within.slice(Math.max(0, within.length - limit)) : within.slice(0, limit);
    }
    const { condition, parameters, order } = columnWalk("t.name", window);
    const index = tier === null ? "present" : tier.toLowerCase();
    const names = this.#connection
      .statement(
        `SELECT t.name FROM tenant t INDEXED BY tenant_${index} WHERE ${holds(tier)}${condition} ${order}`,
      )
      .all(...parameters, window.limit);
    return inOrder(names.map(text), window.backward);
  }

  countTenants(tier: Tier | null, { tenants }: TenantScope = {}): number {
    if (tenants !== undefined) return this.#among(tenants, holds(tier)).length;
    const column = tier === null ? "tenants" : `${tier.toLowerCase()}_tenants`;
    return this.#connection.statement(`SELECT ${column} FROM total`).get()?.[0] as number;
  }

  listWorkflows(tenantId: string, window: PageWindow<string>): readonly string[] {
    const { condition, parameters, order } = columnWalk("w.name", window);
    const names = this.#connection
      .statement(
        `SELECT w.name FROM tenant t CROSS JOIN workflow w INDEXED BY workflow_present
         WHERE t.name = ? AND w.tenant = t.id AND w.present = 1${condition} ${order}`,
      )
      .all(tenantId, ...parameters, window.limit);
    return inOrder(names.map(text), window.backward);
  }

  countWorkflows(tenantId: string): number {
    const row = this.#connection.statement("SELECT workflows FROM tenant WHERE name = ?").get(tenantId);
    return (row?.[0] as number | undefined) ?? 0;
  }

  held(): UsageByTier {
    return usageByTier(
      this.#connection.statement(`SELECT ${PREFIXED_USAGE_COLUMNS} FROM total h`).get() ?? [],
    );
  }

  usageByTenants(tenantIds: readonly string[]): readonly UsageByTier[] {
    const sql = `SELECT ${PREFIXED_USAGE_COLUMNS}, k.key FROM json_each(?) k CROSS JOIN tenant t ON t.name = k.value
      CROSS JOIN tenant_held h ON h.tenant = t.id`;
    return this.#heldBy(sql, tenantIds);
  }

  usageByWorkflows(workflows: readonly WorkflowName[]): readonly UsageByTier[] {
    const sql = `SELECT ${PREFIXED_USAGE_COLUMNS}, k.key FROM json_each(?) k CROSS JOIN tenant t ON t.name = k.value ->> 0
      CROSS JOIN workflow w ON w.tenant = t.id AND w.name = k.value ->> 1
      CROSS JOIN workflow_held h ON h.workflow = w.id`;
    return this.#heldBy(sql, workflows.map(pair));
  }

  #among(tenants: readonly string[], condition: string): readonly string[] {
    return this.#connection
      .statement(
        `SELECT t.name FROM json_each(?) k CROSS JOIN tenant t ON t.name = k.value WHERE ${condition}`,
      )
      .all(JSON.stringify(tenants))
      .map(text)
      .sort(compareNames);
  }

  #exist(sql: string, wanted: readonly unknown[]): readonly boolean[] {
    const exist = wanted.map(() => false);
    for (const [position] of this.#connection.statement(sql).all(JSON.stringify(wanted))) {
      exist[position as number] = true;
    }
    return exist;
  }

  #heldBy(sql: string, wanted: readonly unknown[]): readonly UsageByTier[] {
    const held = wanted.map(() => NO_USAGE);
    for (const cells of this.#connection.statement(sql).all(JSON.stringify(wanted))) {
      held[cells[6] as number] = usageByTier(cells);
    }
    return held;
  }
}

/** Returns the number of artifacts in these tiers. */
export function countOfTier(held: UsageByTier | undefined, tiers: readonly Tier[]): number {
  return TIERS.filter((tier) => tiers.includes(tier))
    .map((tier) => held?.[tier].artifactCount ?? 0)
    .reduce((sum, count) => sum + count, 0);
}

function usageByTier(cells: readonly Cell[]): UsageByTier {
  const at = (column: number) => ({
    artifactCount: cells[column] as number,
    totalBytes: cells[column + 1] as number,
  });
  return { HOT: at(0), WARM: at(2), COLD: at(4) };
}

/** Returns the condition that tenant t exists or, with a tier, has artifacts in it. */
function holds(tier: Tier | null): string {
  return tier === null ? "t.present = 1" : `(t.tiers & ${1 << TIERS.indexOf(tier)}) <> 0`;
}

function pair({ tenantId, workflowId }: WorkflowName): readonly [string, string] {
  return [tenantId, workflowId];
}

function text(cells: readonly Cell[]): string {
  return cells[0] as string;
}
