import { describe, expect, it } from "vitest";
import type { OpenForTest } from "./opened-catalog.ts";
import { failedItem, finish, key, lifecycleJob, NOW, startJob, whole } from "./sample-changes.ts";

export function jobItems(open: OpenForTest) {
  describe("items of jobs", () => {
    it("lists a job's items by key, in both directions", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = lifecycleJob();
      const names = ["a/w/1", "a/w/2", "a/w🎼/0", "b/a/1", "é/a/1"];
      await catalog.commit(startJob(job));
      await catalog.commitAll(
        names.toReversed().map(
          (of) =>
            ({
              kind: "lifecycleItemFailed",
              jobId: job.id,
              item: failedItem(of),
              dryRun: false,
              at: NOW,
              actor: "x",
            }) as const,
        ),
      );
      const list = async (after: string | null, before: string | null, backward: boolean) =>
        (
          await catalog.listItems(job.id, {
            after: after === null ? null : key(after),
            before: before === null ? null : key(before),
            limit: 2,
            backward,
          })
        ).map((item) => `${item.tenantId}/${item.workflowId}/${item.artifactId}`);
      expect(await list(null, null, false)).toEqual(names.slice(0, 2));
      expect(await list("a/w/2", null, false)).toEqual(names.slice(2, 4));
      expect(await list(null, null, true)).toEqual(names.slice(3));
      expect(await list("a/w/1", "b/a/1", true)).toEqual(names.slice(1, 3));
      expect(await catalog.listItems("none", whole())).toEqual([]);
      expect(await catalog.countItems("none")).toBe(0);
    });

    it("deletes the items of all except a tenant's newest jobs, in batches, and never those of a running job", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const tenants = ["a", "a", "a", "a", "b", null];
      const jobs = tenants.map((tenantId, n) =>
        lifecycleJob({ id: `job${n}`, tenantId, dryRun: true, startedAt: n < 4 ? NOW + n : NOW - n }),
      );
      await catalog.commitAll(jobs.map((job) => startJob(job)));
      await catalog.commitAll(
        jobs.flatMap((job) =>
          ["1", "2", "3"].map(
            (name) =>
              ({
                kind: "lifecycleItemFailed",
                jobId: job.id,
                item: failedItem(`a/w/${name}`),
                dryRun: true,
                at: NOW,
                actor: "x",
              }) as const,
          ),
        ),
      );
      await catalog.commitAll(["job1", "job2", "job3", "job4", "job5"].map((id) => finish(id)));
      const prune = { kind: "sweepJobItems", jobId: "job3", keep: 1, limit: 4 } as const;
      expect(await catalog.commit(prune)).toBe(4);
      expect(await catalog.commit(prune)).toBe(2);
      expect(await catalog.commit(prune)).toBe(0);
      const counts = await Promise.all(jobs.map(({ id }) => catalog.countItems(id)));
      expect(counts).toEqual([3, 0, 0, 3, 3, 3]);
      expect(await catalog.commit({ ...prune, jobId: "none" })).toBe(0);
      expect(await catalog.listItems("job1", whole())).toEqual([]);
      expect(await catalog.jobs(["job1"])).toMatchObject([{ treated: 3, job: { totalErrors: 3 } }]);
    });
  });
}
