import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { describe, expect, it } from "vitest";
import type { FinishJobChange, RestoreItemChange } from "../changes.ts";
import type { OpenForTest } from "./opened-catalog.ts";
import {
  all,
  eventTypes,
  failedItem,
  key,
  lifecycleJob,
  NOW,
  purge,
  restoreJob,
  startJob,
  step,
  whole,
  write,
} from "./sample-changes.ts";

const OLD = NOW - 100 * DAY_MS;

function finish(jobId: string, given: Partial<FinishJobChange> = {}): FinishJobChange {
  const base = {
    kind: "finishJob",
    status: "SUCCEEDED",
    errorCode: null,
    error: null,
    durationSeconds: 2.5,
  } as const;
  return { ...base, jobId, at: NOW + 1, actor: "schedule", ...given };
}

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

    it("takes each due artifact one step, with its event, its item and the job's counters, and none twice", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = lifecycleJob();
      await catalog.commitAll([
        write("a/w/hot", { at: OLD }),
        write("a/w/warm", { at: OLD, tier: "WARM" }),
        write("b/w/cold", { at: OLD, tier: "COLD" }),
        startJob(job, { expected: 3 }),
      ]);
      const planned = await all(catalog);
      const taken = await Promise.all(planned.map((row) => catalog.commit(step(job, row))));
      expect(taken).toMatchObject([
        {
          artifactId: "hot",
          step: "PROMOTE_TO_WARM",
          fromTier: "HOT",
          toTier: "WARM",
          outcome: "DONE",
          ageDays: 100,
        },
        { artifactId: "warm", step: "PROMOTE_TO_COLD", fromTier: "WARM", toTier: "COLD", outcome: "DONE" },
        { artifactId: "cold", step: "PURGE", fromTier: "COLD", toTier: null, outcome: "DONE" },
      ]);
      const after = await all(catalog);
      expect(after).toMatchObject([
        { tier: "WARM", ageSince: OLD, promotedAt: NOW, promotedFrom: "HOT" },
        { tier: "COLD", ageSince: OLD },
      ]);
      const [first] = after;
      // A batch repeated after a crash, and the step that would come next: the item that stands is the answer.
      const again = await catalog.commitAll(
        [...planned, ...(first ? [first] : [])].map((row) => step(job, row)),
      );
      expect(again.map((outcome) => outcome.ok && outcome.result)).toEqual([...taken, taken[0]]);
      expect(await all(catalog)).toEqual(after);
      const events = await catalog.listEvents({ jobId: job.id }, "ASC", whole());
      expect(events.map(({ type, ageDays }) => [type, ageDays])).toEqual([
        ["LIFECYCLE_JOB_STARTED", null],
        ["PROMOTED_TO_WARM", 100],
        ["PROMOTED_TO_COLD", 100],
        ["PURGED_FROM_COLD", 100],
      ]);
      expect(await catalog.jobs([job.id])).toMatchObject([
        { treated: 3, job: { promotedToWarm: 1, promotedToCold: 1, purged: 1, totalErrors: 0, progress: 1 } },
      ]);
      expect(await catalog.garbage(NOW, 9)).toEqual([]);
      expect(await catalog.countItems(job.id)).toBe(3);
    });

    it("skips what is not as planned, or not due any more under the policy", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = lifecycleJob();
      await catalog.commitAll([
        ...["1", "2", "3", "4"].map((name) => write(`a/w/${name}`, { at: OLD })),
        startJob(job),
      ]);
      const [written, purged, kept, other] = await all(catalog);
      if (!written || !purged || !kept || !other) throw new Error("Four were written.");
      await catalog.commitAll([write("a/w/1", { at: OLD }), purge("a/w/2")]);
      const before = await all(catalog);
      const outcomes = await catalog.commitAll([
        step(job, written),
        step(job, purged),
        step(job, kept, { policy: { hotDays: null, warmDays: null, coldDays: null } }),
        step(job, { ...other, ageSince: OLD - 1 }),
      ]);
      expect(outcomes.map((outcome) => outcome.ok && outcome.result.outcome)).toEqual(
        Array(4).fill("SKIPPED"),
      );
      expect(await all(catalog)).toEqual(before);
      expect(await catalog.jobs([job.id])).toMatchObject([
        { treated: 4, job: { promotedToWarm: 0, totalErrors: 0 } },
      ]);
      expect(await catalog.countEvents({ jobId: job.id })).toBe(1);
    });

    it("plans in a dry run what it would do, counts it, and changes nothing else", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = lifecycleJob({ dryRun: true });
      const { artifact } = await catalog.commit(write("a/w/1", { at: OLD, tier: "COLD" }));
      await catalog.commit(startJob(job));
      expect(await catalog.commit(step(job, artifact))).toMatchObject({ outcome: "PLANNED", toTier: null });
      await catalog.commit({
        kind: "lifecycleItemFailed",
        jobId: job.id,
        item: failedItem("a/w/2"),
        dryRun: true,
        at: NOW,
        actor: "x",
      });
      expect(await all(catalog)).toEqual([artifact]);
      expect(await eventTypes(catalog)).toEqual(["ARTIFACT_WRITTEN", "LIFECYCLE_JOB_STARTED"]);
      expect(await catalog.jobs([job.id])).toMatchObject([
        { treated: 2, job: { purged: 1, totalErrors: 1 } },
      ]);
    });

    it("records what failed once, with an event, and goes on", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = lifecycleJob();
      await catalog.commit(startJob(job));
      const failed = {
        kind: "lifecycleItemFailed",
        jobId: job.id,
        item: failedItem("a/w/1"),
        dryRun: false,
        at: NOW,
        actor: "schedule",
      } as const;
      await catalog.commitAll([failed, failed]);
      expect(await catalog.listItems(job.id, whole())).toEqual([failed.item]);
      expect(await catalog.listEvents({ types: ["PURGE_ERROR"] }, "ASC", whole())).toMatchObject([
        { ...key("a/w/1"), errorCode: "TIER_UNAVAILABLE", error: "The disk does not answer.", jobId: job.id },
      ]);
      expect(await catalog.jobs([job.id])).toMatchObject([{ treated: 1, job: { totalErrors: 1 } }]);
      await expect(catalog.commit({ ...failed, jobId: "none" })).rejects.toMatchObject({ code: "NOT_FOUND" });
    });

    it("restores each key of a job once: restored, skipped where it is already, failed where it is gone", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = restoreJob({ toTier: "WARM" });
      await catalog.commitAll([
        write("a/w/cold", { at: OLD, tier: "COLD" }),
        write("a/w/warm", { tier: "WARM" }),
        write("a/w/hot"),
        startJob(job),
      ]);
      const restore = (of: string): RestoreItemChange => ({
        kind: "restoreItem",
        jobId: job.id,
        key: key(of),
        toTier: "WARM",
        dryRun: false,
        at: NOW,
        actor: "ann",
      });
      const keys = ["a/w/cold", "a/w/warm", "a/w/hot", "gone/w/x"];
      const outcomes = await catalog.commitAll([...keys, ...keys].map(restore));
      const results = ["restored", "skipped", "skipped", "failed", ...Array(4).fill("repeated")];
      expect(outcomes.map((outcome) => outcome.ok && outcome.result)).toEqual(results);
      expect(await catalog.artifact(key("a/w/cold"))).toMatchObject({
        tier: "WARM",
        ageSince: NOW,
        promotedFrom: "COLD",
      });
      expect(await catalog.jobs([job.id])).toMatchObject([
        { treated: 4, job: { restoredCount: 1, skippedCount: 2, totalErrors: 1 } },
      ]);
      const events = await catalog.listEvents({ jobId: job.id }, "ASC", whole());
      expect(events.map(({ type }) => type)).toEqual([
        "LIFECYCLE_JOB_STARTED",
        "ARTIFACT_RESTORED",
        "RESTORE_ERROR",
      ]);
      expect(events[2]).toMatchObject({ ...key("gone/w/x"), errorCode: "ARTIFACT_NOT_FOUND" });
      expect(await catalog.listItems(job.id, whole())).toEqual([]);
    });

    it("counts in a dry restore what it would do, and changes nothing else", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = restoreJob({ dryRun: true });
      const { artifact } = await catalog.commit(write("a/w/cold", { tier: "COLD" }));
      await catalog.commit(startJob(job));
      const restore = {
        kind: "restoreItem",
        jobId: job.id,
        toTier: "HOT",
        dryRun: true,
        at: NOW,
        actor: "ann",
      } as const;
      await catalog.commitAll([
        { ...restore, key: key("a/w/cold") },
        { ...restore, key: key("a/w/gone") },
      ]);
      expect(await all(catalog)).toEqual([artifact]);
      expect(await catalog.jobs([job.id])).toMatchObject([{ job: { restoredCount: 1, totalErrors: 1 } }]);
      expect(await catalog.lastSeq()).toBe(2);
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

    it("lists a job's items by key, both ways", async () => {
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

    it("drops the items of all but the newest jobs, a part at a time, and never those of a job that runs", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const jobs = [0, 1, 2, 3].map((n) => lifecycleJob({ id: `job${n}`, dryRun: true, startedAt: NOW + n }));
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
      await catalog.commitAll(["job1", "job2", "job3"].map((id) => finish(id)));
      const prune = { kind: "pruneJobItems", keep: 1, limit: 4 } as const;
      expect(await catalog.commit(prune)).toBe(4);
      expect(await catalog.commit(prune)).toBe(2);
      expect(await catalog.commit(prune)).toBe(0);
      const counts = await Promise.all(jobs.map(({ id }) => catalog.countItems(id)));
      expect(counts).toEqual([3, 0, 0, 3]);
      expect(await catalog.listItems("job1", whole())).toEqual([]);
      expect(await catalog.jobs(["job1"])).toMatchObject([{ treated: 3, job: { totalErrors: 3 } }]);
    });
  });
}
