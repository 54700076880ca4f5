import { TIERS } from "@tierkeep/schema/domain/tiers";
import type { CounterOwner, Miscount, UsageCorrection } from "../../miscounts.ts";
import type { Cell, Connection, Row } from "../connection.ts";
import { type Counts, noUsage, PREFIXED_USAGE_COLUMNS, tiersOf, USAGE_NAMES } from "../rows/usage-columns.ts";
import { onSnapshot } from "./snapshot.ts";

/** Rows per statement, which are in memory together. */
const ROWS = 10_000;
/** Tenants or workflows per statement. */
const OWNERS = 10_000;

const TIER_SET = "tiers with something in them, as bits";
const TOTAL = [...USAGE_NAMES, ...TIERS.map((tier) => `tenants in ${tier}`)];

/** The counted usage of tenants, by their numbers. */
interface TenantCount {
  readonly held: Counts;
  workflows: number;
}

/** Compares the stored counters with a full count, on one connection. */
export class CounterReads {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  miscounts(limit: number): readonly Miscount[] {
    const found: Miscount[] = [];
    const note = (owner: CounterOwner, counters: readonly UsageCorrection[]) => {
      const wrong = counters.filter(({ kept, counted }) => kept !== counted);
      if (wrong.length > 0 && found.length < limit) found.push({ ...owner, counters: wrong });
    };
    // One snapshot for all statements: between two, a change would look like a wrong counter.
    onSnapshot(this.#connection, () => {
      const tenants = this.#workflows(this.#artifacts(), note);
      this.#total(this.#tenants(tenants, note), note);
    });
    return found;
  }

  /** Returns the usage of workflows with artifacts, by their numbers. */
  #artifacts(): ReadonlyMap<number, Counts> {
    const counts = new Map<number, Counts>();
    const newest = this.#connection.statement("SELECT max(id) FROM artifact").get()?.[0] as number | null;
    for (let low = 0; low < (newest ?? 0); low += ROWS) {
      // Grouped here, because SQLite would sort the rows first, which takes three times as long.
      const rows = this.#connection
        .statement("SELECT workflow, tier, size_bytes FROM artifact NOT INDEXED WHERE id > ? AND id <= ?")
        .all(low, low + ROWS) as unknown as readonly (readonly [number, number, number])[];
      for (const [workflow, tier, sizeBytes] of rows) {
        const own = entry(counts, workflow, noUsage);
        own[tier * 2] = (own[tier * 2] ?? 0) + 1;
        own[tier * 2 + 1] = (own[tier * 2 + 1] ?? 0) + sizeBytes;
      }
    }
    return counts;
  }

  #workflows(
    counts: ReadonlyMap<number, Counts>,
    note: (owner: CounterOwner, counters: readonly UsageCorrection[]) => void,
  ): ReadonlyMap<number, TenantCount> {
    const tenants = new Map<number, TenantCount>();
    const rows = this.#each(
      `SELECT w.id, w.tenant, t.name, w.name, w.present, w.tiers, h.workflow, ${PREFIXED_USAGE_COLUMNS}
       FROM workflow w CROSS JOIN tenant t ON t.id = w.tenant LEFT JOIN workflow_held h ON h.workflow = w.id
       WHERE w.id > ? ORDER BY w.id LIMIT ?`,
    );
    for (const [id, tenant, tenantId, workflowId, present, tiers, row, ...kept] of rows) {
      const own = counts.get(id as number) ?? noUsage();
      const owner = { tenantId: tenantId as string, workflowId: workflowId as string };
      note(owner, [...compared(USAGE_NAMES, kept, own), ...keptAs(row, tiers, own)]);
      const sum = entry(tenants, tenant as number, () => ({ held: noUsage(), workflows: 0 }));
      add(sum.held, own);
      sum.workflows += present as number;
    }
    return tenants;
  }

  /**
   * Returns the expected total: the usage of all tenants, the number of tenants per tier, and the number of
   * tenants.
   */
  #tenants(
    counts: ReadonlyMap<number, TenantCount>,
    note: (owner: CounterOwner, counters: readonly UsageCorrection[]) => void,
  ): { readonly total: readonly number[]; readonly tenants: number } {
    const total = noUsage();
    const holders = [0, 0, 0];
    let tenants = 0;
    const rows = this.#each(
      `SELECT t.id, t.name, t.present, t.tiers, t.workflows, h.tenant, ${PREFIXED_USAGE_COLUMNS}
       FROM tenant t LEFT JOIN tenant_held h ON h.tenant = t.id WHERE t.id > ? ORDER BY t.id LIMIT ?`,
    );
    for (const [id, name, present, tiers, workflows, row, ...kept] of rows) {
      const own = counts.get(id as number) ?? { held: noUsage(), workflows: 0 };
      note({ tenantId: name as string, workflowId: null }, [
        ...compared(USAGE_NAMES, kept, own.held),
        ...keptAs(row, tiers, own.held),
        { what: "workflows", kept: workflows as number, counted: own.workflows },
      ]);
      add(total, own.held);
      add(
        holders,
        holders.map((_, tier) => ((own.held[tier * 2] ?? 0) > 0 ? 1 : 0)),
      );
      tenants += present as number;
    }
    return { total: [...total, ...holders], tenants };
  }

  #total(
    { total, tenants }: { readonly total: readonly number[]; readonly tenants: number },
    note: (owner: CounterOwner, counters: readonly UsageCorrection[]) => void,
  ): void {
    const kept = this.#connection
      .statement(
        `SELECT ${PREFIXED_USAGE_COLUMNS}, h.hot_tenants, h.warm_tenants, h.cold_tenants, h.tenants, h.unsettled, h.unsettled_bytes
         FROM total h`,
      )
      .get() as readonly Cell[];
    const unsettled = this.#connection
      .statement("SELECT count(*), coalesce(sum(size_bytes), 0) FROM inline_bytes")
      .get() as unknown as readonly number[];
    const what = [...TOTAL, "tenants", "artifacts with inline content", "bytes of inline content"];
    note({ tenantId: null, workflowId: null }, compared(what, kept, [...total, tenants, ...unsettled]));
  }

  /** All rows of a statement whose parameters are the number to continue after and a limit. */
  *#each(sql: string): Generator<Row> {
    let after = 0;
    for (;;) {
      const rows = this.#connection.statement(sql).all(after, OWNERS);
      yield* rows;
      if (rows.length < OWNERS) return;
      after = rows.at(-1)?.[0] as number;
    }
  }
}

function compared(
  what: readonly string[],
  kept: readonly Cell[],
  counted: readonly number[],
): readonly UsageCorrection[] {
  return what.map((each, column) => ({
    what: each,
    kept: (kept[column] as number | null) ?? 0,
    counted: counted[column] ?? 0,
  }));
}

/** `row`: null where no counters are stored. */
function keptAs(row: Cell | undefined, tiers: Cell | undefined, counts: Counts): readonly UsageCorrection[] {
  return [
    { what: "rows of counters", kept: row === null ? 0 : 1, counted: 1 },
    { what: TIER_SET, kept: tiers as number, counted: tiersOf(counts) },
  ];
}

function entry<T>(map: Map<number, T>, key: number, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

function add(sum: number[], more: readonly number[]): void {
  for (const [column, value] of more.entries()) sum[column] = (sum[column] ?? 0) + value;
}
