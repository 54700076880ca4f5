import { daysToMs } from "@tierkeep/schema/domain/ages";
import { LIFECYCLE_STEPS, type LifecycleStep } from "@tierkeep/schema/domain/policy";
import type { ErrorCode } from "@tierkeep/schema/domain/refusals";
import { BLOCK_ITEMS, type PlannedItem, planBlockOf } from "../../plan-blocks.ts";
import type { ItemOutcome } from "../../rows.ts";
import type { Connection, Row } from "../connection.ts";
import { keyOrderText } from "../rows/plan-row.ts";

/**
 * Format 10. A job has a plan in blocks instead of one row per artifact. The items of earlier jobs become plans, and
 * lifecycle and restore jobs that were running end as FAILED when they are resumed.
 */
export const SCHEMA_10 = {
  sql: `
ALTER TABLE job ADD COLUMN blocks INTEGER;
ALTER TABLE job ADD COLUMN ending TEXT;
ALTER TABLE job DROP COLUMN items;

-- 'first' and 'last': the keys of the first and the last item, as text in key order. 'bytes': one JSON line per item,
-- compressed with zstd.
CREATE TABLE plan_block (
  job INTEGER NOT NULL,
  n INTEGER NOT NULL,
  step TEXT NOT NULL,
  items INTEGER NOT NULL,
  first TEXT NOT NULL,
  last TEXT NOT NULL,
  hash TEXT NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (job, n)
) STRICT;

-- 'position': the number of items that were processed. 'outcomes': what became of each, as a JSON array.
CREATE TABLE block (
  job INTEGER NOT NULL,
  n INTEGER NOT NULL,
  position INTEGER NOT NULL,
  outcomes TEXT NOT NULL,
  PRIMARY KEY (job, n)
) STRICT;

-- Artifacts whose object may not be in the store of their tier. 'since': ms since the epoch.
CREATE TABLE misplaced (
  workflow INTEGER NOT NULL,
  name TEXT NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (workflow, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX misplaced_since ON misplaced (since);

UPDATE job SET blocks = 0, ending = json_object('status', 'FAILED', 'errorCode', 'UNAVAILABLE', 'error',
  'An earlier version of Tierkeep started this job and did not finish it. Start it again.')
  WHERE status = 'RUNNING' AND kind IN ('lifecycle', 'restore');
`,
  convert(connection: Connection): void {
    const jobs = connection
      .statement(
        `SELECT j.id, j.facts, j.dry_run FROM job j
         WHERE j.kind = 'lifecycle' AND EXISTS (SELECT 1 FROM job_item i WHERE i.job = j.id)`,
      )
      .all();
    for (const [job, facts, dryRun] of jobs)
      convertItems(connection, job as number, JSON.parse(facts as string).asOf, dryRun === 1);
    connection.exec("DROP TABLE job_item");
  },
};

/** A stored item, and what became of it; null: only planned. */
interface OldItem {
  readonly item: PlannedItem;
  readonly outcome: ItemOutcome | null;
}

function convertItems(connection: Connection, job: number, asOf: number, dryRun: boolean): void {
  let n = 0;
  for (const step of LIFECYCLE_STEPS) {
    let after: readonly string[] = ["", "", ""];
    for (;;) {
      const rows = connection
        .statement(
          `SELECT tenant, workflow, artifact, age_days, size_bytes, outcome, error_code, error FROM job_item
           WHERE job = ? AND (tenant, workflow, artifact) > (?, ?, ?) AND step = ?
           ORDER BY tenant, workflow, artifact LIMIT ?`,
        )
        .all(job, ...after, step, BLOCK_ITEMS);
      const last = rows.at(-1);
      if (last === undefined) break;
      after = last.slice(0, 3) as string[];
      n += 1;
      storeBlock(
        connection,
        job,
        n,
        step,
        rows.map((row) => oldItem(row, asOf, dryRun)),
      );
    }
  }
  connection.statement("UPDATE job SET blocks = ? WHERE id = ?").run(n, job);
}

function storeBlock(
  connection: Connection,
  job: number,
  n: number,
  step: LifecycleStep,
  items: readonly OldItem[],
): void {
  const { first, last, hash, bytes } = planBlockOf(
    step,
    items.map(({ item }) => item),
  );
  connection
    .statement("INSERT INTO plan_block VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
    .run(job, n, step, items.length, keyOrderText(first), keyOrderText(last), hash, bytes);
  connection
    .statement("INSERT INTO block VALUES (?, ?, ?, ?)")
    .run(job, n, items.length, JSON.stringify(items.map(({ outcome }) => outcome)));
}

/** The version was not stored. Nothing reads it, because the item is not processed again. */
function oldItem(row: Row, asOf: number, dryRun: boolean): OldItem {
  const [tenantId, workflowId, artifactId, days, sizeBytes, outcome, errorCode, error] = row;
  const ageSince = asOf - daysToMs(days as number);
  return {
    item: {
      tenantId: tenantId as string,
      workflowId: workflowId as string,
      artifactId: artifactId as string,
      planned: { version: 0, ageSince, sizeBytes: sizeBytes as number, held: dryRun && errorCode === "HELD" },
    },
    outcome:
      outcome === "PLANNED"
        ? null
        : outcome === "DONE"
          ? 0
          : {
              outcome: outcome as "SKIPPED" | "FAILED",
              errorCode: errorCode as ErrorCode | null,
              error: error as string | null,
            },
  };
}
