import type { Connection } from "../connection.ts";
import { type Counts, noUsage, tiersOf, USAGE_COLUMNS } from "../rows/usage-columns.ts";

/** The owner whose counters are recounted, by number; `id` null: the total. */
export type Recounted =
  | { readonly of: "workflow" | "tenant"; readonly id: number }
  | { readonly of: "total"; readonly id: null };

const columns = USAGE_COLUMNS.join(", ");
const sums = (table: string) =>
  USAGE_COLUMNS.map((column) => `coalesce(sum(${table}.${column}), 0)`).join(", ");
const set = USAGE_COLUMNS.map((column, index) => `${column} = ?${index + 1}`).join(", ");

/** Sets counters to a full count, within the open transaction. */
export function recount(connection: Connection, { of, id }: Recounted): void {
  switch (of) {
    case "workflow": {
      const counts = noUsage();
      const tiers = connection
        .statement(
          `SELECT tier, count(*), sum(size_bytes) FROM artifact INDEXED BY artifact_key
           WHERE workflow = ? GROUP BY tier`,
        )
        .all(id) as unknown as readonly (readonly [number, number, number])[];
      for (const [tier, count, bytes] of tiers) counts.splice(tier * 2, 2, count, bytes);
      store(connection, of, id, counts);
      return;
    }
    case "tenant": {
      const counts = connection
        .statement(
          `SELECT ${sums("h")} FROM workflow w CROSS JOIN workflow_held h ON h.workflow = w.id WHERE w.tenant = ?`,
        )
        .get(id) as unknown as Counts;
      store(connection, of, id, counts);
      connection
        .statement(
          `UPDATE tenant SET workflows = (SELECT count(*) FROM workflow WHERE tenant = ?1 AND present = 1)
           WHERE id = ?1`,
        )
        .run(id);
      return;
    }
    case "total": {
      const counts = connection
        .statement(`SELECT ${sums("h")} FROM tenant_held h`)
        .get() as unknown as Counts;
      connection
        .statement(
          `UPDATE total SET ${set},
             hot_tenants = (SELECT count(*) FROM tenant WHERE (tiers & 1) <> 0),
             warm_tenants = (SELECT count(*) FROM tenant WHERE (tiers & 2) <> 0),
             cold_tenants = (SELECT count(*) FROM tenant WHERE (tiers & 4) <> 0),
             tenants = (SELECT count(*) FROM tenant WHERE present = 1),
             (unsettled, unsettled_bytes) = (SELECT count(*), coalesce(sum(size_bytes), 0) FROM inline_bytes)`,
        )
        .run(...counts);
    }
  }
}

function store(connection: Connection, of: "workflow" | "tenant", id: number, counts: Counts): void {
  connection
    .statement(`INSERT OR REPLACE INTO ${of}_held (${columns}, ${of}) VALUES (?, ?, ?, ?, ?, ?, ?)`)
    .run(...counts, id);
  connection.statement(`UPDATE ${of} SET tiers = ? WHERE id = ?`).run(tiersOf(counts), id);
}
