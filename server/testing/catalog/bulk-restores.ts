import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { describe, expect, it } from "vitest";
import type { OpenForTest } from "./opened-catalog.ts";
import {
  batch,
  key,
  NOW,
  plan,
  restoredItems,
  restoreJob,
  startJob,
  whole,
  write,
} from "./sample-changes.ts";

const OLD = NOW - 100 * DAY_MS;

export function bulkRestores(open: OpenForTest) {
  describe("bulk restores", () => {
    it("restore each key of a batch once: skipped where it is there already, failed where it is deleted", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = restoreJob({ toTier: "WARM" });
      const items = restoredItems("a/w/cold", "a/w/hot", "a/w/warm", "gone/w/x");
      await catalog.commitAll([
        write("a/w/cold", { at: OLD, tier: "COLD" }),
        write("a/w/warm", { tier: "WARM" }),
        write("a/w/hot"),
        startJob(job),
      ]);
      await plan(catalog, job.id, [["RESTORE", items]]);
      const outcomes = await catalog.commit(batch(job, "RESTORE", items));
      const skipped = { outcome: "SKIPPED", errorCode: null, error: null };
      const failed = { outcome: "FAILED", errorCode: "ARTIFACT_NOT_FOUND" };
      expect(outcomes).toMatchObject([5, skipped, skipped, failed]);
      expect(await catalog.commit(batch(job, "RESTORE", items))).toBeNull();
      expect(await catalog.artifact(key("a/w/cold"))).toMatchObject({
        tier: "WARM",
        ageSince: NOW,
        promotedFrom: "COLD",
        version: 5,
      });
      expect(await catalog.jobs([job.id])).toMatchObject([
        { treated: 4, job: { restoredCount: 1, skippedCount: 2, totalErrors: 1, progress: 1 } },
      ]);
      const events = await catalog.listEvents({ jobId: job.id }, "ASC", whole());
      expect(events.map(({ type }) => type)).toEqual([
        "LIFECYCLE_JOB_STARTED",
        "ARTIFACT_RESTORED",
        "RESTORE_ERROR",
      ]);
      expect(events[2]).toMatchObject({ ...key("gone/w/x"), errorCode: "ARTIFACT_NOT_FOUND" });
    });
  });
}
