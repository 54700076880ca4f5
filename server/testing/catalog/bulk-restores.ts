import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { describe, expect, it } from "vitest";
import type { RestoreItemChange } from "../../src/catalog/job-changes.ts";
import type { OpenForTest } from "./opened-catalog.ts";
import { all, key, NOW, restoreJob, startJob, whole, write } from "./sample-changes.ts";

const OLD = NOW - 100 * DAY_MS;

export function bulkRestores(open: OpenForTest) {
  describe("bulk restores", () => {
    it("restores each key of a job once: restored, skipped where it is there already, failed where it is deleted", async () => {
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

    it("only counts in a dry restore what it would do", async () => {
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
  });
}
