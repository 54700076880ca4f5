import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { describe, expect, it } from "vitest";
import type { OpenForTest } from "./opened-catalog.ts";
import {
  all,
  eventTypes,
  failedItem,
  key,
  lifecycleJob,
  NOW,
  purge,
  startJob,
  step,
  whole,
  write,
} from "./sample-changes.ts";

const OLD = NOW - 100 * DAY_MS;

export function lifecycleSteps(open: OpenForTest) {
  describe("lifecycle steps", () => {
    it("moves each due artifact one step, once, with its event, its item and the job's counters", async () => {
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
      // A batch repeated after a crash, and the next step: the stored item is returned.
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
      expect(await catalog.garbage("files", NOW, 9)).toEqual([]);
      expect(await catalog.countItems(job.id)).toBe(3);
    });

    it("skips an artifact that is not as planned, or no longer due under the policy", async () => {
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

    it("records and counts in a dry run what it would do, and changes nothing else", async () => {
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

    it("records a failed artifact once, with an event, and continues", async () => {
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
        {
          ...key("a/w/1"),
          errorCode: "TIER_UNAVAILABLE",
          error: "The disk does not respond.",
          jobId: job.id,
        },
      ]);
      expect(await catalog.jobs([job.id])).toMatchObject([{ treated: 1, job: { totalErrors: 1 } }]);
      await expect(catalog.commit({ ...failed, jobId: "none" })).rejects.toMatchObject({ code: "NOT_FOUND" });
    });
  });
}
