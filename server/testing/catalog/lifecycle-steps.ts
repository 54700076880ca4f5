import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { describe, expect, it } from "vitest";
import type { OpenForTest } from "./opened-catalog.ts";
import {
  all,
  batch,
  eventTypes,
  finish,
  key,
  lifecycleJob,
  NOW,
  plan,
  plannedItem,
  purge,
  startJob,
  whole,
  write,
} from "./sample-changes.ts";

const OLD = NOW - 100 * DAY_MS;
const blocked = {
  kind: "blockPurges",
  errorCode: "HELD",
  error: "Look.",
  at: NOW,
  actor: "schedule",
} as const;

export function lifecycleSteps(open: OpenForTest) {
  describe("lifecycle steps", () => {
    it("move each due artifact one step, once, with its event, its outcome and the job's counters", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = lifecycleJob();
      await catalog.commitAll([
        write("a/w/hot", { at: OLD }),
        write("a/w/warm", { at: OLD, tier: "WARM" }),
        write("b/w/cold", { at: OLD, tier: "COLD" }),
        startJob(job),
      ]);
      const [hot, warm, cold] = (await all(catalog)).map((row) => [plannedItem(row)]);
      if (!hot || !warm || !cold) throw new Error("Three were written.");
      await plan(catalog, job.id, [
        ["PURGE", cold],
        ["PROMOTE_TO_COLD", warm],
        ["PROMOTE_TO_WARM", hot],
      ]);
      const batches = [
        batch(job, "PURGE", cold, { n: 1 }),
        batch(job, "PROMOTE_TO_COLD", warm, { n: 2 }),
        batch(job, "PROMOTE_TO_WARM", hot, { n: 3 }),
      ];
      const taken = await catalog.commitAll(batches);
      expect(taken.map((outcome) => outcome.ok && outcome.result)).toEqual([[5], [6], [7]]);
      const after = await all(catalog);
      expect(after).toMatchObject([
        { tier: "WARM", ageSince: OLD, promotedAt: NOW, promotedFrom: "HOT", version: 7 },
        { tier: "COLD", ageSince: OLD, version: 6 },
      ]);
      // Batches that are repeated after a crash.
      const again = await catalog.commitAll(batches);
      expect(again.map((outcome) => outcome.ok && outcome.result)).toEqual([null, null, null]);
      expect(await all(catalog)).toEqual(after);
      const events = await catalog.listEvents({ jobId: job.id }, "ASC", whole());
      expect(events.map(({ type, ageDays }) => [type, ageDays])).toEqual([
        ["LIFECYCLE_JOB_STARTED", null],
        ["PURGED_FROM_COLD", 100],
        ["PROMOTED_TO_COLD", 100],
        ["PROMOTED_TO_WARM", 100],
      ]);
      const reopened = await opened.reopen();
      expect(await reopened.jobs([job.id])).toMatchObject([
        { treated: 3, job: { promotedToWarm: 1, promotedToCold: 1, purged: 1, totalErrors: 0, progress: 1 } },
      ]);
      expect(await reopened.planBlock(job.id, 3)).toMatchObject({ outcomes: [7] });
      expect(await reopened.garbage("files", NOW, 9)).toEqual([]);
    });

    it("skip an artifact that is not as planned, or no longer due under the policy", async () => {
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
      const changed = [written, purged, { ...other, ageSince: OLD - 1 }].map(plannedItem);
      const lenient = { hotDays: null, warmDays: null, coldDays: null };
      const outcomes = [
        await catalog.commit(batch(job, "PROMOTE_TO_WARM", changed)),
        await catalog.commit(
          batch(job, "PROMOTE_TO_WARM", [plannedItem(kept)], { from: 3, policy: lenient }),
        ),
      ];
      expect(outcomes.flat()).toMatchObject(Array(4).fill({ outcome: "SKIPPED", errorCode: null }));
      expect(await all(catalog)).toEqual(before);
      expect(await catalog.jobs([job.id])).toMatchObject([
        { treated: 4, job: { promotedToWarm: 0, totalErrors: 0 } },
      ]);
      expect(await catalog.countEvents({ jobId: job.id })).toBe(1);
    });

    it("do nothing beside the block's position, in a dry run, or once the job has ended", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const [job, dry] = [lifecycleJob(), lifecycleJob({ dryRun: true })];
      await catalog.commitAll([write("a/w/1", { at: OLD }), startJob(job), startJob(dry)]);
      const [row] = await all(catalog);
      if (row === undefined) throw new Error("One was written.");
      const items = [plannedItem(row)];
      expect(await catalog.commit(batch(job, "PROMOTE_TO_WARM", items, { from: 1 }))).toBeNull();
      expect(await catalog.commit(batch(job, "PROMOTE_TO_WARM", items, { jobId: "none" }))).toBeNull();
      expect(await catalog.commit(batch(dry, "PROMOTE_TO_WARM", items))).toBeNull();
      expect(await catalog.commit(batch(job, "RESTORE", items))).toBeNull();
      await catalog.commit(finish(job.id));
      expect(await catalog.commit(batch(job, "PROMOTE_TO_WARM", items))).toBeNull();
      expect(await all(catalog)).toEqual([row]);
      expect(await catalog.jobs([job.id])).toMatchObject([{ treated: 0 }]);
    });

    it("record a failed artifact with an event, and take the other ones", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = lifecycleJob();
      await catalog.commitAll([
        write("a/w/1", { at: OLD, tier: "COLD" }),
        write("a/w/2", { at: OLD, tier: "COLD" }),
        startJob(job),
      ]);
      const failure = { errorCode: "TIER_UNAVAILABLE", error: "The disk does not respond." } as const;
      const items = (await all(catalog)).map(plannedItem);
      const outcomes = await catalog.commit(batch(job, "PURGE", items, { failed: { 0: failure } }));
      expect(outcomes).toEqual([{ outcome: "FAILED", ...failure }, 5]);
      expect(await catalog.listEvents({ types: ["PURGE_ERROR"] }, "ASC", whole())).toMatchObject([
        { ...key("a/w/1"), ...failure, fromTier: "COLD", toTier: null, ageDays: 100, jobId: job.id },
      ]);
      expect((await all(catalog)).map(({ artifactId }) => artifactId)).toEqual(["1"]);
      expect(await catalog.jobs([job.id])).toMatchObject([
        { treated: 2, job: { purged: 1, totalErrors: 1 } },
      ]);
    });

    it("end as blocked, with one event, once purges are blocked", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = lifecycleJob({ tenantId: "a" });
      await catalog.commit(startJob(job));
      await catalog.commitAll([
        { ...blocked, jobId: job.id },
        { ...blocked, jobId: job.id, error: "Later." },
      ]);
      expect(await catalog.jobs([job.id])).toMatchObject([
        { ending: { status: "BLOCKED", errorCode: "HELD", error: "Look." } },
      ]);
      expect(await eventTypes(catalog)).toEqual(["LIFECYCLE_JOB_STARTED", "LIFECYCLE_STEP_FAILED"]);
      await catalog.commit(finish(job.id));
      await catalog.commit({ ...blocked, jobId: job.id });
      expect(await catalog.lastSeq()).toBe(3);
    });
  });
}
