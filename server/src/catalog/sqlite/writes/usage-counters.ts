import { TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import type { UsageCorrection } from "../../miscounts.ts";
import type { Connection } from "../connection.ts";
import { type Counts, noUsage, tiersOf, USAGE_COLUMNS } from "../rows/usage-columns.ts";
import type { WorkflowEntry } from "./names.ts";
import { correctUsage, type UsageOwner } from "./usage-corrections.ts";

type Holder = "tenant" | "workflow";

// Constants: a statement's text that is built for each use is also hashed for each use, and these run for
// every write.
const READ = { tenant: readSql("tenant"), workflow: readSql("workflow") };
const STORE = { tenant: storeSql("tenant"), workflow: storeSql("workflow") };

/** Limit of the cache. When it is full it is emptied, so that memory stays bounded. */
const MAX_CACHED = 50_000;

interface Deltas {
  readonly tenants: Map<number, Counts>;
  readonly workflows: Map<number, Counts>;
  readonly corrections: { readonly owner: UsageOwner; readonly by: readonly UsageCorrection[] }[];
  unsettled: number;
  unsettledBytes: number;
}

/**
 * Collects what a group adds to the counters of tenants, workflows and the total, so that each counter row is
 * written once per group.
 */
export class UsageCounters {
  readonly #connection: Connection;
  #group = nothing();
  /** The stored rows, which only this writer changes: caching them saves a read per write. */
  readonly #stored: Record<Holder, Map<number, Counts>> = { tenant: new Map(), workflow: new Map() };

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** `count`: 1 where an artifact enters the tier, -1 where it leaves. */
  add(workflow: WorkflowEntry, tier: Tier, count: 1 | -1, sizeBytes: number): void {
    raise(this.#group.tenants, workflow.tenant.id, tier, count, sizeBytes);
    raise(this.#group.workflows, workflow.id, tier, count, sizeBytes);
  }

  addUnsettled(count: 1 | -1, sizeBytes: number): void {
    this.#group.unsettled += count;
    this.#group.unsettledBytes += count * sizeBytes;
  }

  /** Corrects the counters of one owner. */
  correct(owner: UsageOwner, by: readonly UsageCorrection[]): void {
    this.#group.corrections.push({ owner, by });
  }

  /** Drops the collected additions of a group that was not, or not certainly, committed. */
  drop(): void {
    this.#forgetStored();
    this.#group = nothing();
  }

  /** Writes the collected additions, before the group's COMMIT. */
  flush(): void {
    const { tenants, workflows, corrections, unsettled, unsettledBytes } = this.#group;
    const total = noUsage();
    const holders: [number, number, number] = [0, 0, 0];
    for (const [id, delta] of workflows) {
      const [before, after] = this.#raiseRow("workflow", id, delta);
      if (before !== after)
        this.#connection.statement("UPDATE workflow SET tiers = ? WHERE id = ?").run(after, id);
    }
    for (const [id, delta] of tenants) {
      const [before, after] = this.#raiseRow("tenant", id, delta);
      delta.forEach((value, column) => {
        total[column] = (total[column] ?? 0) + value;
      });
      if (before === after) continue;
      this.#connection.statement("UPDATE tenant SET tiers = ? WHERE id = ?").run(after, id);
      for (const column of [0, 1, 2] as const)
        holders[column] += ((after >> column) & 1) - ((before >> column) & 1);
    }
    if (tenants.size > 0 || unsettled !== 0 || unsettledBytes !== 0) {
      this.#connection
        .statement(
          `UPDATE total SET hot = hot + ?, hot_bytes = hot_bytes + ?, warm = warm + ?, warm_bytes = warm_bytes + ?,
             cold = cold + ?, cold_bytes = cold_bytes + ?, hot_tenants = hot_tenants + ?, warm_tenants = warm_tenants + ?,
             cold_tenants = cold_tenants + ?, unsettled = unsettled + ?, unsettled_bytes = unsettled_bytes + ?`,
        )
        .run(...total, ...holders, unsettled, unsettledBytes);
    }
    for (const { owner, by } of corrections) correctUsage(this.#connection, owner, by);
    if (corrections.length > 0) this.#forgetStored();
    this.#group = nothing();
  }

  #forgetStored(): void {
    this.#stored.tenant.clear();
    this.#stored.workflow.clear();
  }

  /** Returns the sets of tiers with artifacts before and after. */
  #raiseRow(holder: Holder, id: number, delta: Counts): [number, number] {
    const stored = this.#stored[holder];
    if (stored.size > MAX_CACHED) stored.clear();
    const before = stored.get(id) ?? (this.#connection.statement(READ[holder]).get(id) as unknown as Counts);
    const after = before.map((count, column) => count + (delta[column] ?? 0)) as Counts;
    this.#connection.statement(STORE[holder]).run(...after, id);
    stored.set(id, after);
    return [tiersOf(before), tiersOf(after)];
  }
}

function nothing(): Deltas {
  return { tenants: new Map(), workflows: new Map(), corrections: [], unsettled: 0, unsettledBytes: 0 };
}

function raise(deltas: Map<number, Counts>, id: number, tier: Tier, count: number, sizeBytes: number): void {
  let delta = deltas.get(id);
  if (delta === undefined) {
    delta = noUsage();
    deltas.set(id, delta);
  }
  const column = TIERS.indexOf(tier) * 2;
  delta[column] = (delta[column] ?? 0) + count;
  delta[column + 1] = (delta[column + 1] ?? 0) + count * sizeBytes;
}

function readSql(holder: Holder): string {
  return `SELECT ${USAGE_COLUMNS.join(", ")} FROM ${holder}_held WHERE ${holder} = ?`;
}

function storeSql(holder: Holder): string {
  return `UPDATE ${holder}_held SET ${USAGE_COLUMNS.map((column) => `${column} = ?`).join(", ")} WHERE ${holder} = ?`;
}
