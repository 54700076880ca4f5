import { keyText } from "@tierkeep/schema/domain/keys";
import { describe, expect, it } from "vitest";
import type { Catalog } from "../../src/catalog/catalog.ts";
import { itemsOf, planBlockOf } from "../../src/catalog/plan-blocks.ts";
import type { PlanBlockRow } from "../../src/catalog/rows.ts";
import type { OpenForTest } from "./opened-catalog.ts";
import { finish, key, lifecycleJob, NOW, plan, restoredItems, startJob } from "./sample-changes.ts";

const sealing = { kind: "sealPlan", items: 1, counts: {}, ending: null, durationSeconds: 1 } as const;
const names = (row: PlanBlockRow | null) => row && itemsOf(row.block).map(keyText);

export function plans(open: OpenForTest) {
  describe("plans of jobs", () => {
    it("are stored block by block, and shown once they are sealed, also after a restart", async () => {
      await using opened = await open();
      const job = lifecycleJob();
      await opened.catalog.commit(startJob(job));
      const planned = { version: 7, ageSince: NOW, sizeBytes: 3, held: true };
      const items = [{ ...key("a/w/1"), planned }, ...restoredItems("a/w/𝄞")];
      const block = planBlockOf("PURGE", items);
      await opened.catalog.commit({ kind: "storePlan", jobId: job.id, n: 1, block });
      expect(await opened.catalog.planBlock(job.id, 1)).toBeNull();
      await opened.catalog.commit({ ...sealing, jobId: job.id, blocks: 1, items: 2, counts: { purged: 2 } });
      const catalog = await opened.reopen();
      const row = await catalog.planBlock(job.id, 1);
      const { bytes: _bytes, ...facts } = block;
      expect(row).toMatchObject({ n: 1, block: facts, outcomes: [] });
      expect(row && itemsOf(row.block)).toEqual(items);
      expect(await catalog.jobs([job.id])).toMatchObject([
        { blocks: 1, expected: 2, ending: null, job: { purged: 2 } },
      ]);
      expect(await catalog.countPlanItems(job.id)).toEqual({ planned: 2, processed: 0 });
      expect(await catalog.planBlock(job.id, 2)).toBeNull();
    });

    it("do not change once they are sealed or their job has ended", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const [sealed, ended] = [lifecycleJob(), lifecycleJob({ dryRun: true })];
      const block = planBlockOf("PURGE", restoredItems("a/w/other"));
      await catalog.commitAll([startJob(sealed), startJob(ended), finish(ended.id)]);
      await plan(catalog, sealed.id, [["PURGE", restoredItems("a/w/1")]]);
      for (const { id } of [sealed, ended, { id: "none" }])
        await catalog.commitAll([
          { kind: "storePlan", jobId: id, n: 1, block },
          { ...sealing, jobId: id, blocks: 2 },
        ]);
      expect(names(await catalog.planBlock(sealed.id, 1))).toEqual(["a/w/1"]);
      expect(await catalog.jobs([sealed.id, ended.id])).toMatchObject([{ blocks: 1 }, { blocks: null }]);
    });

    it("start again after an attempt that was cut off", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = lifecycleJob();
      await catalog.commit(startJob(job));
      for (const n of [1, 2, 3])
        await catalog.commit({
          kind: "storePlan",
          jobId: job.id,
          n,
          block: planBlockOf("PURGE", restoredItems(`a/w/first ${n}`)),
        });
      await plan(catalog, job.id, [["PURGE", restoredItems("a/w/second")]]);
      expect(names(await catalog.planBlock(job.id, 1))).toEqual(["a/w/second"]);
      expect(await catalog.planBlock(job.id, 2)).toBeNull();
      expect(await catalog.countPlanItems(job.id)).toEqual({ planned: 1, processed: 0 });
    });

    it("find the next block of a step with items between two keys, in both directions", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = lifecycleJob();
      await catalog.commit(startJob(job));
      const hot = [
        restoredItems("a/w/1", "a/w/3"),
        restoredItems("a/w🎼/0", "b/a/1"),
        restoredItems("é/a/1"),
      ];
      await plan(catalog, job.id, [
        ["PURGE", restoredItems("a/w/2")],
        ...hot.map((items) => ["PROMOTE_TO_WARM", items] as const),
      ]);
      const next = async (after: string | null, before: string | null, backward: boolean) => {
        const [from, until] = [after, before].map((of) => (of === null ? null : key(of)));
        const between = { after: from ?? null, before: until ?? null, backward };
        return (await catalog.nextPlanBlock(job.id, "PROMOTE_TO_WARM", between))?.n ?? null;
      };
      expect(await next(null, null, false)).toBe(2);
      expect(await next("a/w/1", null, false)).toBe(2);
      expect(await next("a/w/3", null, false)).toBe(3);
      expect(await next("b/a/1", "é/a/1", false)).toBeNull();
      expect(await next("é/a/1", null, false)).toBeNull();
      expect(await next(null, null, true)).toBe(4);
      expect(await next(null, "é/a/1", true)).toBe(3);
      expect(await next("a/w/3", "b/a/1", true)).toBe(3);
      expect(await next(null, "a/w/1", true)).toBeNull();
      expect(
        await catalog.nextPlanBlock("none", "PURGE", { after: null, before: null, backward: false }),
      ).toBeNull();
    });

    it("are deleted, in batches, for all except a tenant's newest jobs, and never for a running job", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const tenants = ["a", "a", "a", "a", "b", null];
      const jobs = tenants.map((tenantId, n) =>
        lifecycleJob({ id: `job${n}`, tenantId, dryRun: true, startedAt: n < 4 ? NOW + n : NOW - n }),
      );
      await catalog.commitAll(jobs.map((job) => startJob(job)));
      for (const { id } of jobs)
        await plan(
          catalog,
          id,
          ["1", "2", "3"].map((name) => ["PURGE", restoredItems(`a/w/${name}`)] as const),
          { treated: 3 },
        );
      await catalog.commitAll(["job1", "job2", "job3", "job4", "job5"].map((id) => finish(id)));
      const sweep = { kind: "sweepJobs", jobId: "job3", keep: 1, limit: 4 } as const;
      expect(await catalog.commit(sweep)).toBe(4);
      expect(await catalog.commit(sweep)).toBe(2);
      expect(await catalog.commit(sweep)).toBe(0);
      expect(await counts(catalog, jobs)).toEqual([3, 0, 0, 3, 3, 3]);
      expect(await catalog.commit({ ...sweep, jobId: "none" })).toBe(0);
      expect(await catalog.planBlock("job1", 1)).toBeNull();
      expect(await catalog.jobs(["job1"])).toMatchObject([{ treated: 3, job: { progress: 1 } }]);
    });
  });
}

function counts(catalog: Catalog, jobs: readonly { readonly id: string }[]): Promise<readonly number[]> {
  return Promise.all(jobs.map(async ({ id }) => (await catalog.countPlanItems(id)).planned));
}
