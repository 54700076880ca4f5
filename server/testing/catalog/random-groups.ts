import { keyText } from "@tierkeep/schema/domain/keys";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Catalog } from "../../src/catalog/catalog.ts";
import type { RecordChange } from "../../src/catalog/changes/all-changes.ts";
import { runGroup } from "../../src/catalog/commit/run-group.ts";
import { drawnChanges, withObjects } from "./drawn-changes.ts";
import { MemoryRecords } from "./memory-records.ts";
import type { OpenForTest } from "./opened-catalog.ts";
import { all, whole } from "./sample-changes.ts";

const STORES = ["files", "archive"];

const scripts = fc.array(fc.array(drawnChanges, { minLength: 1, maxLength: 12 }), {
  minLength: 1,
  maxLength: 5,
});

export function randomGroups(open: OpenForTest, runs: number) {
  describe("random groups", () => {
    it("have the outcomes, records and events of the model", async () => {
      await fc.assert(
        fc.asyncProperty(scripts, async (script) => {
          await using opened = await open();
          const model = new MemoryRecords();
          for (const group of script) {
            const changes: RecordChange[] = [];
            for (const drawn of group) changes.push(await withObjects(opened.catalog, model, drawn));
            const outcomes = await opened.catalog.commitAll(changes);
            expect(outcomes.map((outcome) => (outcome.ok ? outcome.result : outcome.refused))).toEqual(
              runGroup(model, changes, null).map((outcome) =>
                outcome.ok
                  ? outcome.result
                  : expect.objectContaining("refusal" in outcome ? outcome.refusal : { code: "none" }),
              ),
            );
          }
          await agrees(opened.catalog, model);
        }),
        { numRuns: runs },
      );
    });
  });
}

async function agrees(catalog: Catalog, model: MemoryRecords): Promise<void> {
  const rows = await all(catalog);
  const byKey = (row: { tenantId: string; workflowId: string; artifactId: string }) => keyText(row);
  expect(new Map(rows.map((row) => [byKey(row), row]))).toEqual(
    new Map(model.all("artifact").map((row) => [byKey(row), row])),
  );
  expect(await catalog.listEvents({}, "ASC", whole(10_000))).toEqual(model.events);
  const total = { tenantId: "", workflowId: "" };
  const usage = await catalog.held();
  for (const tier of TIERS) expect(usage[tier]).toEqual(model.usage(total, tier));
  for (const row of rows) {
    const [workflow] = await catalog.usageByWorkflows([row]);
    for (const tier of TIERS) expect(workflow?.[tier]).toEqual(model.usage(row, tier));
  }
  expect(await catalog.exportState()).toEqual(model.get("exporter", ""));
  expect(await catalog.settings()).toEqual(model.get("settings", ""));
  expect(await catalog.miscounts(9)).toEqual([]);
  expect(await catalog.misplacedCount()).toBe(model.all("misplaced").length);
  expect(await catalog.dirtyCount()).toBe(model.all("unpublished").length);
  const unsettled = (await Promise.all(STORES.map((store) => catalog.unsettled(store, 1_000)))).flat();
  expect(unsettled.map(({ bytes }) => bytes.length).toSorted()).toEqual(
    model
      .all("inline")
      .map(({ sizeBytes }) => sizeBytes)
      .toSorted(),
  );
  await catalog.commitAll(rows.map((row) => ({ kind: "settled", key: row, object: row.object })));
  for (const { key, version } of await catalog.dirtyKeys(STORES, 1_000)) {
    expect(version).toBe(model.get("unpublished", key)?.version);
    await catalog.commit({ kind: "published", key, version });
  }
  const garbage = STORES.map((store) => catalog.garbage(store, Number.MAX_SAFE_INTEGER, 1_000));
  expect((await Promise.all(garbage)).flat()).toHaveLength(model.all("garbage").length);
}
