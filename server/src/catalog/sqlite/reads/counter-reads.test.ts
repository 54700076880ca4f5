import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import { expect, it } from "vitest";
import { move, NOW, startJob, verifyJob, write } from "../../../../testing/catalog/sample-changes.ts";
import { anyCatalog } from "../../../../testing/sqlite/catalog-in-temp-dir.ts";
import type { Catalog } from "../../catalog.ts";
import type { CounterOwner, Miscount } from "../../miscounts.ts";

const WORKFLOW: CounterOwner = { tenantId: "a", workflowId: "w" };
const TENANT: CounterOwner = { tenantId: "a", workflowId: null };
const WHOLE: CounterOwner = { tenantId: null, workflowId: null };

const TENANT_ID = "(SELECT id FROM tenant WHERE name = 'a')";
const WORKFLOW_ID = `(SELECT id FROM workflow WHERE name = 'w' AND tenant = ${TENANT_ID})`;

/** Every table with counters: the owner of a row, and the columns that are not counters. */
const TABLES = [
  {
    table: "workflow",
    owner: WORKFLOW,
    row: `id = ${WORKFLOW_ID}`,
    others: ["id", "tenant", "name", "present"],
  },
  { table: "workflow_held", owner: WORKFLOW, row: `workflow = ${WORKFLOW_ID}`, others: ["workflow"] },
  { table: "tenant", owner: TENANT, row: `id = ${TENANT_ID}`, others: ["id", "name", "present"] },
  { table: "tenant_held", owner: TENANT, row: `tenant = ${TENANT_ID}`, others: ["tenant"] },
  { table: "total", owner: WHOLE, row: "id = 1", others: ["id"] },
];

async function correct(catalog: Catalog, jobId: string, miscounts: readonly Miscount[]): Promise<void> {
  for (const miscount of miscounts) {
    const { tenantId, workflowId } = miscount;
    const about = { path: null, tenantId, workflowId, artifactId: null, tier: null, message: "" };
    const finding: StoreFinding = { kind: "RECOUNTED", ...about };
    await catalog.commit({ kind: "correctUsage", at: NOW, actor: "ann", jobId, miscount, finding });
  }
}

it("miscounts finds each wrong counter and no other, and a correction corrects it", async () => {
  await using opened = await anyCatalog();
  const { catalog } = opened;
  const job = verifyJob();
  await catalog.commitAll([
    startJob(job),
    ...["a/w/1", "a/w/2", "a/v/1", "b/w/1"].map((path) => write(path)),
    move("a/w/2", "COLD"),
  ]);
  using db = new DatabaseSync(join(opened.folder, "catalog.db"));
  for (const { table, owner, row, others } of TABLES) {
    const columns = db
      .prepare(`PRAGMA table_info(${table})`)
      .all()
      .map(({ name }) => String(name));
    for (const column of columns.filter((name) => !others.includes(name))) {
      db.exec(`UPDATE ${table} SET ${column} = ${column} + 1 WHERE ${row}`);
      const found = await catalog.miscounts(9);
      expect([table, column, found]).toMatchObject([table, column, [{ ...owner, counters: [{}] }]]);
      await correct(catalog, job.id, found);
      expect([table, column, await catalog.miscounts(9)]).toEqual([table, column, []]);
    }
  }
});

it("miscounts finds a missing row of counters, and a correction creates it", async () => {
  await using opened = await anyCatalog();
  const { catalog } = opened;
  const job = verifyJob();
  await catalog.commitAll([startJob(job), write("a/w/1")]);
  using db = new DatabaseSync(join(opened.folder, "catalog.db"));
  for (const { table, owner, row } of TABLES.filter((each) => each.table.endsWith("_held"))) {
    db.exec(`DELETE FROM ${table} WHERE ${row}`);
    const found = await catalog.miscounts(9);
    expect(found[0]).toMatchObject(owner);
    expect(found[0]?.counters).toContainEqual({ what: "rows of counters", kept: 0, counted: 1 });
    await correct(catalog, job.id, found);
    expect(await catalog.miscounts(9)).toEqual([]);
  }
});
