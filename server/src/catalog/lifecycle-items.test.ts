import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { compareKeys, keyText } from "@tierkeep/schema/domain/keys";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  batch,
  finish,
  key,
  lifecycleJob,
  NOW,
  plan,
  startJob,
  write,
} from "../../testing/catalog/sample-changes.ts";
import { catalogInTempDir } from "../../testing/sqlite/catalog-in-temp-dir.ts";
import { countItems, listItems } from "./lifecycle-items.ts";
import type { PlannedItem, PlanStep } from "./plan-blocks.ts";
import { InlineSqliteCatalog } from "./sqlite/open-sqlite-catalog.ts";

const STEPS = ["PURGE", "PROMOTE_TO_COLD", "PROMOTE_TO_WARM"] as const;

function item(of: string, held = false): PlannedItem {
  return { ...key(of), planned: { version: 1, ageSince: NOW - 100 * DAY_MS, sizeBytes: 3, held } };
}

function open() {
  return catalogInTempDir(async (path) => InlineSqliteCatalog.open({ path, durability: "os" }));
}

describe("items of a lifecycle job", () => {
  it("are listed by key over all steps and blocks, for any page in both directions", async () => {
    const names = fc.uniqueArray(fc.constantFrom(..."abcdefghijklmn𝄞"), { minLength: 1, maxLength: 15 });
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(names, fc.integer({ min: 1, max: 3 }), fc.infiniteStream(fc.nat({ max: 2 }))),
        fc.record({ after: fc.option(fc.nat(14)), before: fc.option(fc.nat(14)) }),
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
        async ([ids, blockSize, draws], { after, before }, limit, backward) => {
          await using opened = await open();
          const { catalog } = opened;
          const job = lifecycleJob({ dryRun: true });
          await catalog.commit(startJob(job));
          const items = ids.map((id) => item(`a/w/${id}`)).sort(compareKeys);
          const stepOf = new Map(items.map((one) => [one, STEPS[draws.next().value as number]]));
          const blocks = STEPS.flatMap((step) => {
            const some = items.filter((one) => stepOf.get(one) === step);
            return Array.from(
              { length: Math.ceil(some.length / blockSize) },
              (_, n): [PlanStep, PlannedItem[]] => [step, some.slice(n * blockSize, (n + 1) * blockSize)],
            );
          });
          await plan(catalog, job.id, blocks);
          const [from, until] = [after, before].map((n) => (n === null ? null : (items[n] ?? null)));
          const within = items.filter(
            (one) => (!from || compareKeys(one, from) > 0) && (!until || compareKeys(one, until) < 0),
          );
          const page = backward ? within.slice(-limit) : within.slice(0, limit);
          const window = { after: from ?? null, before: until ?? null, limit, backward };
          expect((await listItems(catalog, job.id, window)).map(keyText)).toEqual(page.map(keyText));
          expect(await countItems(catalog, job.id)).toBe(items.length);
        },
      ),
      { numRuns: 12 },
    );
  });

  it("of a dry run are planned, or skipped where a hold forbids the purge", async () => {
    await using opened = await open();
    const { catalog } = opened;
    const job = lifecycleJob({ dryRun: true });
    await catalog.commit(startJob(job));
    await plan(catalog, job.id, [["PURGE", [item("a/w/1"), item("a/w/2", true)]]]);
    const window = { after: null, before: null, limit: 10, backward: false };
    expect(await listItems(catalog, job.id, window)).toEqual([
      {
        ...key("a/w/1"),
        step: "PURGE",
        fromTier: "COLD",
        toTier: null,
        ageDays: 100,
        sizeBytes: 3,
        outcome: "PLANNED",
        errorCode: null,
        error: null,
      },
      expect.objectContaining({ ...key("a/w/2"), outcome: "SKIPPED", errorCode: "HELD" }),
    ]);
  });

  it("of a live run are those that were processed, with their outcomes", async () => {
    await using opened = await open();
    const { catalog } = opened;
    const job = lifecycleJob();
    const items = [item("a/w/1"), item("a/w/2"), item("a/w/3")];
    await catalog.commitAll([write("a/w/1", { at: NOW - 100 * DAY_MS }), startJob(job)]);
    await plan(catalog, job.id, [["PROMOTE_TO_WARM", items]]);
    const failed = { 1: { errorCode: "INTERNAL", error: "Look at the log." } } as const;
    await catalog.commit(batch(job, "PROMOTE_TO_WARM", items.slice(0, 2), { failed }));
    const window = { after: null, before: null, limit: 10, backward: false };
    expect(await listItems(catalog, job.id, window)).toMatchObject([
      { artifactId: "1", outcome: "DONE", errorCode: null },
      { artifactId: "2", outcome: "FAILED", ...failed[1] },
    ]);
    expect(await countItems(catalog, job.id)).toBe(2);
    await catalog.commit(finish(job.id));
    expect(await countItems(catalog, "none")).toBe(0);
    expect(await listItems(catalog, "none", window)).toEqual([]);
  });
});
