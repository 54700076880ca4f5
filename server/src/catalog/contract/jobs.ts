import type { VerifyJob } from "@tierkeep/schema/services/jobs";
import { describe, expect, it } from "vitest";
import type { OpenForTest } from "./opened-catalog.ts";
import {
  eventTypes,
  finish,
  lifecycleJob,
  NOW,
  restoreJob,
  startJob,
  verifyJob,
  whole,
} from "./sample-changes.ts";

export function jobs(open: OpenForTest) {
  describe("jobs", () => {
    it("stores a job with its input and position, through a restart, from its start event to its end event", async () => {
      await using opened = await open();
      const job = lifecycleJob({ tenantId: "acme" });
      const input = { steps: ["PURGE"], nested: [1] };
      await opened.catalog.commit(startJob(job, { input, expected: 4 }));
      await opened.catalog.commit(startJob(job, { input, expected: 4 }));
      await opened.catalog.commit({
        kind: "advanceJob",
        jobId: job.id,
        position: { at: [1, "x"] },
        durationSeconds: 1.5,
      });
      const catalog = await opened.reopen();
      const row = {
        job,
        actor: "schedule",
        cancelRequested: false,
        input,
        position: { at: [1, "x"] },
        expected: 4,
        treated: 0,
      };
      expect(await catalog.jobs(["none", job.id])).toEqual([null, row]);
      expect(await catalog.runningJobs()).toEqual([row]);
      await catalog.commit(finish(job.id, { status: "FAILED", errorCode: "STORAGE_FULL", error: "full" }));
      await catalog.commit(finish(job.id));
      const ended = { ...job, status: "FAILED", finishedAt: NOW + 1, durationSeconds: 2.5, error: "full" };
      expect(await catalog.jobs([job.id])).toMatchObject([{ job: ended }]);
      expect(await catalog.runningJobs()).toEqual([]);
      expect(await catalog.listEvents({ jobId: job.id }, "ASC", whole())).toMatchObject([
        { type: "LIFECYCLE_JOB_STARTED", tenantId: "acme", errorCode: null, dryRun: false },
        { type: "LIFECYCLE_JOB_COMPLETED", tenantId: "acme", errorCode: "STORAGE_FULL", error: "full" },
      ]);
      expect(await catalog.lastSeq()).toBe(2);
    });

    it("lets one live lifecycle job run at a time, beside dry ones and restores", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const live = lifecycleJob();
      const others = [lifecycleJob({ dryRun: true, startedAt: NOW + 1 }), restoreJob({ startedAt: NOW + 2 })];
      const input = { tenantId: null, steps: ["PURGE"] };
      expect(await catalog.commit(startJob(live, { input }))).toEqual({ jobId: live.id, started: true });
      await catalog.commitAll(others.map((job) => startJob(job, { input })));
      for (const other of [{ ...input, tenantId: "acme" }, { ...input, steps: [] }, null]) {
        await expect(catalog.commit(startJob(lifecycleJob(), { input: other }))).rejects.toMatchObject({
          code: "CONFLICT",
          facts: { jobId: live.id },
        });
      }
      expect((await catalog.runningJobs()).map(({ job }) => job)).toEqual([live, ...others]);
      await catalog.commit(finish(live.id));
      const next = lifecycleJob();
      expect(await catalog.commit(startJob(next, { input }))).toEqual({ jobId: next.id, started: true });
    });

    it("lets a live lifecycle job join the one that runs and was asked for the same", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const live = lifecycleJob();
      await catalog.commit(startJob(live, { input: { tenantId: null, steps: ["PURGE"] } }));
      const same = startJob(lifecycleJob(), { input: { steps: ["PURGE"], tenantId: null } });
      expect(await catalog.commit(same)).toEqual({ jobId: live.id, started: false });
      expect((await catalog.runningJobs()).map(({ job }) => job)).toEqual([live]);
      expect(await eventTypes(catalog)).toEqual(["LIFECYCLE_JOB_STARTED"]);
    });

    it("asks a running job to stop, and leaves one that has ended alone", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = restoreJob();
      await catalog.commitAll([startJob(job), { kind: "requestCancel", jobId: job.id }]);
      expect(await catalog.jobs([job.id])).toMatchObject([{ cancelRequested: true }]);
      await catalog.commit(finish(job.id, { status: "CANCELLED" }));
      const ended = await catalog.jobs([job.id]);
      await catalog.commitAll([
        { kind: "requestCancel", jobId: job.id },
        { kind: "advanceJob", jobId: job.id, position: { late: true }, durationSeconds: 9 },
        { kind: "requestCancel", jobId: "none" },
      ]);
      expect(await catalog.jobs([job.id])).toEqual(ended);
    });

    it("lets one verification of a tenant run at a time, and one of the whole store", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const [ofA, ofB, ofAll] = ["a", "b", null].map((tenantId) => verifyJob({ tenantId })) as [
        VerifyJob,
        VerifyJob,
        VerifyJob,
      ];
      await catalog.commitAll([ofA, ofB, ofAll].map((job) => startJob(job)));
      for (const running of [ofA, ofAll]) {
        const { tenantId } = running;
        await expect(catalog.commit(startJob(verifyJob({ tenantId })))).rejects.toMatchObject({
          code: "CONFLICT",
          facts: { jobId: running.id },
        });
      }
      await catalog.commit(finish(ofA.id));
      const next = verifyJob({ tenantId: "a" });
      expect(await catalog.commit(startJob(next))).toEqual({ jobId: next.id, started: true });
    });

    it("lists lifecycle jobs newest first, both ways, and finds the last that finished", async () => {
      await using opened = await open();
      const { catalog } = opened;
      expect(await catalog.lastFinishedLifecycleJob(null)).toBeNull();
      const started = [3, 1, 2, 2].map((at, n) =>
        lifecycleJob({ id: `job${n}`, dryRun: n !== 0, startedAt: NOW + at }),
      );
      await catalog.commitAll([...started.map((job) => startJob(job)), startJob(restoreJob())]);
      const ids = async (stretch: Parameters<typeof catalog.listLifecycleJobs>[0]) =>
        (await catalog.listLifecycleJobs(stretch)).map(({ id }) => id);
      expect(await ids(whole())).toEqual(["job0", "job3", "job2", "job1"]);
      const after = { startedAt: NOW + 2, id: "job3" };
      expect(await ids({ after, before: null, limit: 1, backward: false })).toEqual(["job2"]);
      expect(await ids({ after, before: null, limit: 1, backward: true })).toEqual(["job1"]);
      expect(await ids({ after: null, before: after, limit: 9, backward: true })).toEqual(["job0"]);
      expect(await catalog.countLifecycleJobs()).toBe(4);
      await catalog.commitAll([
        finish("job0", { at: NOW + 9 }),
        finish("job2", { at: NOW + 8 }),
        finish("job1", { at: NOW + 7 }),
      ]);
      expect(await catalog.lastFinishedLifecycleJob(null)).toMatchObject({
        id: "job0",
        status: "SUCCEEDED",
        progress: 1,
      });
      expect(await catalog.lastFinishedLifecycleJob(true)).toMatchObject({ id: "job2" });
      expect(await catalog.lastFinishedLifecycleJob(false)).toMatchObject({ id: "job0" });
    });
  });
}
