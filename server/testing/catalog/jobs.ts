import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { VerifyJob } from "@tierkeep/schema/services/jobs";
import { describe, expect, it } from "vitest";
import type { JobSelection, JobStart, PageWindow } from "../../src/catalog/catalog.ts";
import type { OpenForTest } from "./opened-catalog.ts";
import {
  all,
  eventTypes,
  finish,
  lifecycleJob,
  NOW,
  restoreJob,
  startJob,
  step,
  verifyJob,
  whole,
  write,
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
        workSeconds: 1.5,
        blocks: null,
        ending: null,
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

    it("allows one live lifecycle job at a time, and dry ones and restores beside it", async () => {
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

    it("has the same effects in one group as in several", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const first = lifecycleJob({ asOf: NOW + 8 * DAY_MS });
      const [second, third] = [lifecycleJob(), lifecycleJob()];
      const input = { steps: ["PURGE"] };
      await catalog.commitAll([write("a/w/1"), startJob(first, { input })]);
      const [row] = await all(catalog);
      if (row === undefined) throw new Error("The artifact was written.");
      const outcomes = await catalog.commitAll([
        step(first, row),
        finish(first.id),
        startJob(second, { input }),
        startJob(third, { input: null }),
      ]);
      expect(outcomes.slice(1)).toMatchObject([
        { ok: true },
        { ok: true, result: { jobId: second.id, started: true } },
        { ok: false, refused: { code: "CONFLICT", facts: { jobId: second.id } } },
      ]);
      const [ended] = await catalog.listEvents({ types: ["LIFECYCLE_JOB_COMPLETED"] }, "ASC", whole());
      expect(ended?.job?.counts).toMatchObject({ promotedToWarm: 1, totalErrors: 0 });
      expect((await catalog.jobs([first.id]))[0]?.job).toMatchObject({
        promotedToWarm: 1,
        status: "SUCCEEDED",
      });
    });

    it("joins a running live lifecycle job with the same input", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const live = lifecycleJob();
      await catalog.commit(startJob(live, { input: { tenantId: null, steps: ["PURGE"] } }));
      const same = startJob(lifecycleJob(), { input: { steps: ["PURGE"], tenantId: null } });
      expect(await catalog.commit(same)).toEqual({ jobId: live.id, started: false });
      expect((await catalog.runningJobs()).map(({ job }) => job)).toEqual([live]);
      expect(await eventTypes(catalog)).toEqual(["LIFECYCLE_JOB_STARTED"]);
    });

    it("requests that a running job stops, and leaves an ended one unchanged", async () => {
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

    it("allows one verification per tenant at a time, and one of the complete store", async () => {
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

    it("lists lifecycle jobs newest first, in both directions, and finds the last finished one", async () => {
      await using opened = await open();
      const { catalog } = opened;
      expect(await catalog.lastFinishedLifecycleJob(null)).toBeNull();
      const started = [3, 1, 2, 2].map((at, n) =>
        lifecycleJob({ id: `job${n}`, dryRun: n !== 0, startedAt: NOW + at }),
      );
      await catalog.commitAll([...started.map((job) => startJob(job)), startJob(restoreJob())]);
      const ids = async (window: PageWindow<JobStart>) =>
        (await catalog.listJobs({ kinds: ["lifecycle"] }, window)).map(({ id }) => id);
      expect(await ids(whole())).toEqual(["job0", "job3", "job2", "job1"]);
      const after = { startedAt: NOW + 2, id: "job3" };
      expect(await ids({ after, before: null, limit: 1, backward: false })).toEqual(["job2"]);
      expect(await ids({ after, before: null, limit: 1, backward: true })).toEqual(["job1"]);
      expect(await ids({ after: null, before: after, limit: 9, backward: true })).toEqual(["job0"]);
      expect(await catalog.countJobs({ kinds: ["lifecycle"] })).toBe(4);
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

    it("records in the events of a job what it is and what it did, through a restart", async () => {
      await using opened = await open();
      const run = lifecycleJob({ asOf: NOW + 7 });
      const { steps, retentionPolicy } = run;
      const restore = restoreJob({ toTier: "WARM" });
      await opened.catalog.commitAll([
        startJob(run),
        startJob(restore),
        finish(run.id, { durationSeconds: 2.5 }),
        finish(restore.id, { status: "CANCELLED", durationSeconds: 1 }),
      ]);
      const catalog = await opened.reopen();
      const recorded = async (jobId: string) =>
        (await catalog.listEvents({ jobId }, "ASC", whole())).map(({ job }) => job);
      const lifecycle = { kind: "lifecycle", asOf: NOW + 7, steps, retentionPolicy };
      const none = { promotedToWarm: 0, promotedToCold: 0, purged: 0, totalErrors: 0 };
      expect(await recorded(run.id)).toEqual([
        { ...lifecycle, status: null },
        { ...lifecycle, status: "SUCCEEDED", counts: none, durationSeconds: 2.5 },
      ]);
      expect(await recorded(restore.id)).toEqual([
        { kind: "restore", status: null, toTier: "WARM" },
        {
          kind: "restore",
          status: "CANCELLED",
          toTier: "WARM",
          counts: { restoredCount: 0, skippedCount: 0, totalErrors: 0 },
          durationSeconds: 1,
        },
      ]);
      const [{ seq = 0 } = {}] = await catalog.listEvents({ jobId: run.id }, "DESC", whole());
      expect((await catalog.events([seq]))[0]?.job?.status).toBe("SUCCEEDED");
    });

    it("lists and counts jobs of every kind, by kind, status and tenant", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const jobs = [
        lifecycleJob({ id: "run", startedAt: NOW + 1 }),
        restoreJob({ id: "restore", startedAt: NOW + 2, tenantId: "acme", tenantIds: ["acme"] }),
        { ...verifyJob(), id: "verify", startedAt: NOW + 3, tenantId: "acme" },
        restoreJob({ id: "shared", startedAt: NOW + 4, tenantId: null, tenantIds: ["acme", "zeta"] }),
        lifecycleJob({ id: "dry", startedAt: NOW + 5, dryRun: true, tenantId: "zeta" }),
        restoreJob({ id: "unknown", startedAt: NOW + 6, tenantId: null, tenantIds: null }),
      ];
      await catalog.commitAll(jobs.map((job) => startJob(job)));
      await catalog.commitAll([finish("verify"), finish("shared", { status: "CANCELLED" })]);
      const listed = async (selection: JobSelection) => {
        const rows = await catalog.listJobs(selection, whole());
        expect(await catalog.countJobs(selection)).toBe(rows.length);
        return rows.map(({ id }) => id);
      };
      expect(await listed({})).toEqual(["unknown", "dry", "shared", "verify", "restore", "run"]);
      expect(await listed({ kinds: ["restore", "verify"] })).toEqual([
        "unknown",
        "shared",
        "verify",
        "restore",
      ]);
      expect(await listed({ statuses: ["RUNNING"] })).toEqual(["unknown", "dry", "restore", "run"]);
      expect(await listed({ statuses: ["SUCCEEDED", "CANCELLED"] })).toEqual(["shared", "verify"]);
      expect(await listed({ tenantId: "acme" })).toEqual(["verify", "restore"]);
      expect(await listed({ tenantId: "acme", statuses: ["RUNNING"] })).toEqual(["restore"]);
      expect(await listed({ tenants: ["acme"] })).toEqual(["verify", "restore"]);
      expect(await listed({ tenants: ["acme", "zeta", "none"] })).toEqual([
        "dry",
        "shared",
        "verify",
        "restore",
      ]);
      expect(await listed({ tenants: ["acme", "none"] })).toEqual(["verify", "restore"]);
      expect(await listed({ tenants: ["acme", "zeta"], statuses: ["CANCELLED"] })).toEqual(["shared"]);
      expect(await listed({ tenants: ["acme", "zeta"], kinds: ["lifecycle"] })).toEqual(["dry"]);
      expect(await listed({ tenants: ["acme"], tenantId: "zeta" })).toEqual([]);
      expect(await listed({ tenants: [] })).toEqual([]);
      const after = { startedAt: NOW + 4, id: "shared" };
      const next = { after, before: null, limit: 2, backward: false };
      for (const selection of [{}, { tenants: ["acme", "zeta"] }])
        expect((await catalog.listJobs(selection, next)).map(({ id }) => id)).toEqual(["verify", "restore"]);
    });
  });
}
