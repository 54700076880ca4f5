import type { UsageCorrection } from "../../miscounts.ts";
import type { Connection } from "../connection.ts";
import { type Counts, noUsage, tiersOf, USAGE_COLUMNS, USAGE_NAMES } from "../rows/usage-columns.ts";

/** The owner of counters, by number; `id` null: the total. */
export type UsageOwner =
  | { readonly of: "workflow" | "tenant"; readonly id: number }
  | { readonly of: "total"; readonly id: null };

const columns = USAGE_COLUMNS.join(", ");
const raised = USAGE_COLUMNS.map((column, index) => `${column} = ${column} + ?${index + 1}`).join(", ");

/**
 * Adds to artifacts and bytes what the corrections say, within the open transaction. Counts again what derives from
 * few rows: tiers with artifacts, workflows, tenants, inline content.
 */
export function correctUsage(
  connection: Connection,
  { of, id }: UsageOwner,
  corrections: readonly UsageCorrection[],
): void {
  const by = USAGE_NAMES.map((name) => {
    const correction = corrections.find(({ what }) => what === name);
    return correction === undefined ? 0 : correction.counted - correction.kept;
  }) as Counts;
  if (of === "total") {
    connection
      .statement(
        `UPDATE total SET ${raised},
           hot_tenants = (SELECT count(*) FROM tenant WHERE (tiers & 1) <> 0),
           warm_tenants = (SELECT count(*) FROM tenant WHERE (tiers & 2) <> 0),
           cold_tenants = (SELECT count(*) FROM tenant WHERE (tiers & 4) <> 0),
           tenants = (SELECT count(*) FROM tenant WHERE present = 1),
           (unsettled, unsettled_bytes) = (SELECT count(*), coalesce(sum(size_bytes), 0) FROM inline_bytes)`,
      )
      .run(...by);
    return;
  }
  connection
    .statement(`INSERT OR IGNORE INTO ${of}_held (${columns}, ${of}) VALUES (?, ?, ?, ?, ?, ?, ?)`)
    .run(...noUsage(), id);
  const counts = connection
    .statement(`UPDATE ${of}_held SET ${raised} WHERE ${of} = ?7 RETURNING ${columns}`)
    .get(...by, id) as unknown as Counts;
  connection.statement(`UPDATE ${of} SET tiers = ? WHERE id = ?`).run(tiersOf(counts), id);
  if (of === "tenant")
    connection
      .statement(
        `UPDATE tenant SET workflows = (SELECT count(*) FROM workflow WHERE tenant = ?1 AND present = 1)
         WHERE id = ?1`,
      )
      .run(id);
}
