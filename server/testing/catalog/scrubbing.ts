import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import { describe, expect, it } from "vitest";
import type { RecoverChange } from "../../src/catalog/artifact-changes.ts";
import type { QuarantineChange, ReportChange } from "../../src/catalog/upkeep-changes.ts";
import type { OpenForTest } from "./opened-catalog.ts";
import {
  all,
  eventTypes,
  finish,
  NOW,
  newObject,
  path,
  startJob,
  verifyJob,
  whole,
  write,
  writeStaged,
} from "./sample-changes.ts";

const stray = (object: string): StoreFinding => ({
  kind: "STRAY",
  path: object,
  tenantId: null,
  workflowId: null,
  artifactId: null,
  tier: null,
  message: `${object} is unknown`,
});

const report = (...findings: readonly StoreFinding[]): ReportChange => ({
  kind: "report",
  at: NOW,
  actor: "system",
  jobId: null,
  findings,
});

const scrubbed = (passEnds: boolean, position = { after: 3 }) =>
  ({ kind: "scrubbed", position, passEnds }) as const;

export function scrubbing(open: OpenForTest) {
  describe("scrubbing", () => {
    it("lists artifacts, or only damaged ones, in the order of their rows", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const changes = ["b/w/1", "a/w/1", "a/v/1"].map((name) => write(name));
      await catalog.commitAll(changes);
      const rows = await catalog.artifactsAfter(0, 9);
      expect(rows.map(path)).toEqual(["b/w/1", "a/w/1", "a/v/1"]);
      expect(rows.toSorted((a, b) => (path(a) < path(b) ? -1 : 1))).toEqual(await all(catalog));
      expect((await catalog.artifactsAfter(rows[0]?.row ?? 0, 1)).map(path)).toEqual(["a/w/1"]);
      for (const { key, object } of changes.slice(1))
        await catalog.commit({ kind: "damage", key, object, error: "x", at: NOW, actor: "system" });
      expect((await catalog.damagedAfter(0, 9)).map(path)).toEqual(["a/w/1", "a/v/1"]);
      expect((await catalog.damagedAfter(rows[1]?.row ?? 0, 9)).map(path)).toEqual(["a/v/1"]);
      expect(await catalog.damagedCount()).toBe(2);
    });

    it("stores its position and counts the passes", async () => {
      await using opened = await open();
      expect(await opened.catalog.scrubState()).toEqual({ pass: 1, position: null });
      await opened.catalog.commit(scrubbed(false));
      await opened.catalog.commit(scrubbed(true, { after: 0 }));
      expect(await (await opened.reopen()).scrubState()).toEqual({ pass: 2, position: { after: 0 } });
    });

    it("logs a finding once, and again only after a complete pass without it", async () => {
      await using opened = await open();
      const { catalog } = opened;
      expect(await catalog.commit(report(stray("a"), stray("b"), stray("a")))).toBe(2);
      expect(await catalog.events([1])).toMatchObject([
        { type: "SCAN_ERROR", tenantId: null, errorCode: null, error: "a is unknown", actor: "system" },
      ]);
      await catalog.commit(scrubbed(true));
      expect(await catalog.commit(report(stray("a")))).toBe(0);
      await catalog.commit(scrubbed(true));
      expect(await catalog.commit(report(stray("a"), stray("b")))).toBe(1);
      expect(await eventTypes(catalog)).toEqual(["SCAN_ERROR", "SCAN_ERROR", "SCAN_ERROR"]);
    });

    it("reports a quarantined file once per job, with its finding and count, however many passes end in between", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const jobs = [verifyJob(), verifyJob()];
      const quarantine = (jobId: string, ...objects: readonly string[]): QuarantineChange => ({
        kind: "quarantine",
        at: NOW,
        actor: "ann",
        jobId,
        findings: objects.map((object) => ({ ...stray(object), kind: "QUARANTINED" })),
      });
      for (const job of jobs) {
        await catalog.commit(startJob(job));
        await catalog.commit(quarantine(job.id, "a", "b"));
        for (let pass = 0; pass < 3; pass++) await catalog.commit(scrubbed(true));
        await catalog.commit(quarantine(job.id, "b", "c"));
        expect(await catalog.jobs([job.id])).toMatchObject([
          { job: { quarantinedCount: 3, totalErrors: 3, strayCount: 0 } },
        ]);
        const found = await catalog.listFindings(job.id, whole());
        expect(found.map(({ kind, path }) => `${kind} ${path}`)).toEqual(
          ["a", "b", "c"].map((name) => `QUARANTINED ${name}`),
        );
        await catalog.commit(finish(job.id));
      }
      const reported = await catalog.listEvents({ types: ["STRAY_QUARANTINED"] }, "ASC", whole());
      expect(reported.map(({ jobId, error }) => [jobId, error])).toEqual(
        jobs.flatMap(({ id }) => ["a", "b", "c"].map((name) => [id, `${name} is unknown`])),
      );
    });

    it("recovers a damaged artifact as a new object or in place, and keeps the old object", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const change = write("a/w/1");
      await writeStaged(catalog, change);
      const [before] = await all(catalog);
      const job = verifyJob();
      await catalog.commit(startJob(job));
      const found = newObject();
      const damage = { kind: "damage", key: change.key, error: "x", at: NOW, actor: "system" } as const;
      const recovery: RecoverChange = {
        kind: "recover",
        at: NOW + 1,
        actor: "ann",
        jobId: job.id,
        finding: { ...stray("hot/a/w/1"), kind: "HEALED" },
        key: change.key,
        damaged: change.object,
        object: found,
        store: "files",
        owner: "me",
      };
      await catalog.commit({ kind: "stage", object: found, store: "files", owner: "me", at: NOW });
      expect(await catalog.commit(recovery)).toBe(false);
      await catalog.commit({ ...damage, object: change.object });
      await expect(catalog.commit({ ...recovery, owner: "another owner" })).rejects.toMatchObject({
        code: "UNAVAILABLE",
      });
      expect(await catalog.commit(recovery)).toBe(true);
      expect(await catalog.jobs([job.id])).toMatchObject([{ job: { healedCount: 1, totalErrors: 0 } }]);
      expect(await catalog.listFindings(job.id, whole())).toMatchObject([
        { kind: "HEALED", path: "hot/a/w/1" },
      ]);
      expect(await all(catalog)).toEqual([{ ...before, object: found, version: 4 }]);
      expect(await catalog.garbage("files", NOW + 9, 9)).toEqual([]);
      expect(await catalog.strays("files", [change.object, found])).toEqual([change.object]);
      expect(await catalog.areDirty([change.key])).toEqual([true]);
      expect(await catalog.commit(recovery)).toBe(false);
      await catalog.commit({ ...damage, object: found });
      const isBack = { damaged: found, object: found, owner: "", jobId: null, finding: null };
      expect(await catalog.commit({ ...recovery, ...isBack })).toBe(true);
      expect(await all(catalog)).toMatchObject([{ object: found, damagedAt: null, modifiedAt: NOW }]);
      expect(await eventTypes(catalog)).toEqual([
        "ARTIFACT_WRITTEN",
        "LIFECYCLE_JOB_STARTED",
        "SCAN_ERROR",
        "ARTIFACT_HEALED",
        "SCAN_ERROR",
        "ARTIFACT_HEALED",
      ]);
    });
  });
}
