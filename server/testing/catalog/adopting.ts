import { describe, expect, it } from "vitest";
import type { Catalog } from "../../src/catalog/catalog.ts";
import type { AdoptBatchChange, AdoptedFile, PresentKey } from "../../src/catalog/job-changes.ts";
import type { OpenForTest } from "./opened-catalog.ts";
import {
  all,
  checksumOf,
  eventTypes,
  IN_FILES,
  key,
  lifecycleJob,
  NOW,
  newObject,
  purge,
  startJob,
  step,
  whole,
  write,
} from "./sample-changes.ts";

const OWNER = "this process";

function reindexJob(given: { readonly dryRun?: boolean; readonly startedAt?: number } = {}) {
  const {
    asOf: _,
    steps: _1,
    retentionPolicy: _2,
    promotedToWarm: _3,
    promotedToCold: _4,
    purged: _5,
    ...facts
  } = lifecycleJob();
  return {
    ...facts,
    kind: "reindex" as const,
    adoptedCount: 0,
    presentCount: 0,
    quarantinedCount: 0,
    leftCount: 0,
    confirmedAt: null,
    ...given,
  };
}

function finding(path: string, kind: "ADOPTED" | "QUARANTINED" = "ADOPTED") {
  return { kind, path: `cold/${path}`, ...key(path), tier: "COLD" as const, message: `About ${path}.` };
}

function file(path: string): AdoptedFile {
  return {
    key: key(path),
    findings: [finding(path)],
    artifact: {
      tier: "COLD",
      sizeBytes: 3,
      checksum: checksumOf("abc"),
      contentType: "text/plain",
      metadata: { author: "Ann" },
      createdAt: NOW - 3000,
      modifiedAt: NOW - 2000,
      ageSince: NOW - 1000,
      object: newObject(),
      store: "files",
    },
  };
}

function adopt(
  { id, dryRun }: { readonly id: string; readonly dryRun: boolean },
  files: readonly AdoptedFile[],
  present: readonly PresentKey[] = [],
): AdoptBatchChange {
  const base = { kind: "adoptBatch", owner: OWNER, advance: null, at: NOW, actor: "ann" } as const;
  return { ...base, storeIds: IN_FILES, jobId: id, dryRun, files, present };
}

function present(path: string, findings: PresentKey["findings"] = []): PresentKey {
  return { key: key(path), findings };
}

async function stage(catalog: Catalog, files: readonly AdoptedFile[]) {
  for (const { artifact } of files)
    await catalog.commit({ kind: "stage", object: artifact.object, store: "files", owner: OWNER, at: NOW });
}

const end = (jobId: string) =>
  ({
    kind: "finishJob",
    jobId,
    status: "SUCCEEDED",
    errorCode: null,
    error: null,
    durationSeconds: 1,
    at: NOW,
    actor: "x",
  }) as const;

export function adopting(open: OpenForTest) {
  describe("adopting", () => {
    it("creates the rows of found files with their events, findings and the job's counters and position", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = reindexJob();
      const files = [file("a/w/1"), file("a/w/2")];
      await catalog.commit(startJob(job));
      await stage(catalog, files);
      const found = { findings: [finding("a/w/left", "QUARANTINED")], counts: { left: 1 }, treated: 1 };
      const advance = { position: { at: 2 }, durationSeconds: 3, found };
      expect(await catalog.commit({ ...adopt(job, files), advance })).toEqual(["adopted", "adopted"]);
      expect(await all(catalog)).toMatchObject(
        files.map(({ artifact }, index) => ({
          ...key(`a/w/${index + 1}`),
          ...artifact,
          promotedAt: null,
          inline: false,
          version: 2 + index,
        })),
      );
      const objects = files.map(({ artifact }) => artifact.object);
      expect(await catalog.strays("files", objects)).toEqual([]);
      expect(await catalog.areDirty([key("a/w/1"), key("a/w/3")])).toEqual([true, false]);
      expect(await catalog.held()).toMatchObject({ COLD: { artifactCount: 2, totalBytes: 6 } });
      expect(await catalog.miscounts(9)).toEqual([]);
      expect(await eventTypes(catalog)).toEqual([
        "LIFECYCLE_JOB_STARTED",
        "ARTIFACT_ADOPTED",
        "ARTIFACT_ADOPTED",
      ]);
      const reopened = await opened.reopen();
      expect(await reopened.jobs([job.id])).toMatchObject([
        { treated: 3, position: { at: 2 }, job: { adoptedCount: 2, leftCount: 1, totalErrors: 1 } },
      ]);
      expect(await reopened.listFindings(job.id, whole())).toEqual([
        { number: 1, ...finding("a/w/1") },
        { number: 2, ...finding("a/w/2") },
        { number: 3, ...finding("a/w/left", "QUARANTINED") },
      ]);
    });

    it("changes neither an existing row nor the file of an unpublished key", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = reindexJob();
      await catalog.commitAll([startJob(job), write("a/w/there"), write("a/w/gone"), purge("a/w/gone")]);
      const before = await all(catalog);
      const files = [file("a/w/there"), file("a/w/gone")];
      await stage(catalog, files);
      expect(await catalog.commit(adopt(job, files))).toEqual(["present", "passed"]);
      expect(await all(catalog)).toEqual(before);
      expect(await catalog.jobs([job.id])).toMatchObject([{ job: { adoptedCount: 0, presentCount: 1 } }]);
      expect(await catalog.countFindings(job.id)).toBe(0);
    });

    it("is refused where the adopting owner has not staged the object", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = reindexJob();
      await catalog.commit(startJob(job));
      const files = [file("a/w/1"), file("a/w/2")];
      await stage(catalog, files.slice(0, 1));
      for (const change of [adopt(job, files), { ...adopt(job, files.slice(0, 1)), owner: "another" }])
        await expect(catalog.commit(change)).rejects.toMatchObject({ code: "UNAVAILABLE" });
      expect(await all(catalog)).toEqual([]);
      expect(await catalog.jobs([job.id])).toMatchObject([{ treated: 0, job: { adoptedCount: 0 } }]);
    });

    it("only counts and reports in a dry run", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = reindexJob({ dryRun: true });
      await catalog.commitAll([startJob(job), write("a/w/there")]);
      const rows = await all(catalog);
      await catalog.commitAll([
        { kind: "settled", key: key("a/w/there"), object: rows[0]?.object ?? "" },
        { kind: "published", key: key("a/w/there"), version: rows[0]?.version ?? 0 },
      ]);
      const foreign = present("a/w/there", [finding("a/w/there", "QUARANTINED")]);
      expect(await catalog.commit(adopt(job, [file("b/w/1")], [foreign]))).toEqual(["adopted"]);
      expect(await catalog.jobs([job.id])).toMatchObject([
        { treated: 2, job: { adoptedCount: 1, presentCount: 1, quarantinedCount: 1, totalErrors: 1 } },
      ]);
      expect(await all(catalog)).toEqual(rows.map((row) => ({ ...row, inline: false })));
      expect(await catalog.listTenants(null, whole())).toEqual(["a"]);
      expect(await catalog.dirtyCount()).toBe(0);
      expect(await catalog.unconfirmedReindex()).toBeNull();
    });

    it("publishes a key again where a foreign file is at its path", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = reindexJob();
      await catalog.commitAll([startJob(job), write("a/w/1"), write("a/w/2")]);
      for (const row of await all(catalog)) {
        await catalog.commitAll([
          { kind: "settled", key: key(`a/w/${row.artifactId}`), object: row.object },
          { kind: "published", key: key(`a/w/${row.artifactId}`), version: row.version },
        ]);
      }
      await catalog.commit(
        adopt(job, [], [present("a/w/1", [finding("a/w/1", "QUARANTINED")]), present("a/w/2")]),
      );
      expect(await catalog.areDirty([key("a/w/1"), key("a/w/2")])).toEqual([true, false]);
      const [dirty] = await catalog.dirtyKeys(["files"], 10);
      await catalog.commit({ kind: "published", key: key("a/w/1"), version: dirty?.version ?? 0 });
      expect(await catalog.dirtyCount()).toBe(0);
    });

    it("refuses every live purge until each reindex that adopted artifacts is confirmed", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const jobs = [reindexJob(), reindexJob({ startedAt: NOW + 1 })];
      for (const [index, job] of jobs.entries()) {
        const files = [file(`a/w/${index}`)];
        await catalog.commit(startJob(job));
        await stage(catalog, files);
        await catalog.commit(adopt(job, files));
        // Not while it runs.
        await catalog.commit({ kind: "confirmReindex", jobId: job.id, at: NOW, actor: "ann" });
        await catalog.commit(end(job.id));
      }
      const run = lifecycleJob({ asOf: NOW + 1e12 });
      await catalog.commit(startJob(run));
      for (const job of jobs) {
        const held = { code: "HELD", facts: { jobId: job.id } };
        expect(await catalog.unconfirmedReindex()).toBe(job.id);
        await expect(catalog.commit(purge("a/w/0"))).rejects.toMatchObject(held);
        const [row] = await all(catalog);
        if (row) await expect(catalog.commit(step(run, row))).rejects.toMatchObject(held);
        await catalog.commit(purge("a/w/0", { dryRun: true }));
        await catalog.commit({ kind: "confirmReindex", jobId: job.id, at: NOW + 5, actor: "bob" });
        await catalog.commit({ kind: "confirmReindex", jobId: job.id, at: NOW + 9, actor: "eve" });
        expect(await catalog.jobs([job.id])).toMatchObject([{ job: { confirmedAt: NOW + 5 } }]);
      }
      await catalog.commit(purge("a/w/0"));
      const confirmed = await catalog.listEvents({ types: ["REINDEX_CONFIRMED"] }, "ASC", whole());
      expect(confirmed.map(({ actor, jobId }) => [actor, jobId])).toEqual(jobs.map(({ id }) => ["bob", id]));
    });

    it("closes and opens the purge gate within a group", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = reindexJob();
      const files = [file("a/w/adopted")];
      await catalog.commitAll([write("a/w/1"), write("a/w/2"), startJob(job)]);
      await stage(catalog, files);
      const closing = await catalog.commitAll([
        purge("a/w/1"),
        adopt(job, files),
        purge("a/w/2"),
        end(job.id),
      ]);
      expect(closing).toMatchObject([
        { ok: true },
        { ok: true, result: ["adopted"] },
        { ok: false, refused: { code: "HELD", facts: { jobId: job.id } } },
        { ok: true },
      ]);
      const opening = await catalog.commitAll([
        purge("a/w/2"),
        { kind: "confirmReindex", jobId: job.id, at: NOW, actor: "ann" },
        purge("a/w/2"),
      ]);
      expect(opening.map(({ ok }) => ok)).toEqual([false, true, true]);
    });

    it("allows one live reindex at a time, and other jobs beside it", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const job = reindexJob();
      await catalog.commitAll([
        startJob(job),
        startJob(lifecycleJob()),
        startJob(reindexJob({ dryRun: true })),
      ]);
      await expect(catalog.commit(startJob(reindexJob()))).rejects.toMatchObject({
        code: "CONFLICT",
        facts: { jobId: job.id },
      });
    });
  });

  describe("a staged object that existed before", () => {
    const stamp = { store: "files", at: NOW };

    it("is an unknown object again once it is abandoned, by its owner or at the next start", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const [one, two] = [newObject(), newObject()];
      for (const object of [one, two])
        expect(await catalog.commit({ kind: "stageFound", object, owner: OWNER, ...stamp })).toBe(true);
      expect(await catalog.strays("files", [one, two])).toEqual([]);
      await catalog.commit({ kind: "abandon", object: one, at: NOW });
      await catalog.commit({ kind: "abandonOrphaned", owner: "the next", limit: 10, at: NOW });
      expect(await catalog.strays("files", [one, two])).toEqual([one, two]);
      expect(await catalog.garbage("files", NOW, 10)).toEqual([]);
    });

    it("is staged by one owner and taken over by the next, unless it is garbage or being written", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const [found, garbage, staged] = [newObject(), newObject(), newObject()];
      const reserve = (object: string, owner: string) =>
        catalog.commit({ kind: "stageFound", object, owner, ...stamp });
      for (const object of [garbage, staged])
        await catalog.commit({ kind: "stage", object, owner: OWNER, ...stamp });
      await catalog.commit({ kind: "abandon", object: garbage, at: NOW });
      expect(await reserve(garbage, OWNER)).toBe(false);
      expect(await reserve(staged, "the next")).toBe(false);
      expect(await reserve(found, OWNER)).toBe(true);
      expect(await reserve(found, OWNER)).toBe(false);
      expect(await reserve(found, "the next")).toBe(true);
    });
  });

  describe("findings", () => {
    it("are committed with a position, paged by number, and deleted with the items of old jobs", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const old = reindexJob();
      const jobs = [old, reindexJob({ startedAt: NOW + 1 })];
      for (const job of jobs) {
        await catalog.commit(startJob(job));
        const findings = ["a/w/1", "a/w/2", "a/w/3"].map((path) => finding(path, "QUARANTINED"));
        const found = { findings, counts: { left: 3, checked: 2, checkedBytes: 5 }, treated: 3 };
        await catalog.commit({
          kind: "advanceJob",
          jobId: job.id,
          position: { at: 1 },
          durationSeconds: 1,
          found,
        });
        await catalog.commit(end(job.id));
      }
      expect(await catalog.jobs([old.id])).toMatchObject([
        { treated: 3, position: { at: 1 }, job: { leftCount: 3, totalErrors: 3 } },
      ]);
      const page = await catalog.listFindings(old.id, { after: 1, before: null, limit: 1, backward: false });
      expect(page).toMatchObject([{ number: 2, artifactId: "2" }]);
      const last = await catalog.listFindings(old.id, {
        after: null,
        before: null,
        limit: 2,
        backward: true,
      });
      expect(last.map(({ number }) => number)).toEqual([2, 3]);
      expect(await catalog.commit({ kind: "sweepJobs", jobId: old.id, keep: 1, limit: 2 })).toBe(2);
      expect(await catalog.commit({ kind: "sweepJobs", jobId: old.id, keep: 1, limit: 2 })).toBe(1);
      expect(await Promise.all(jobs.map(({ id }) => catalog.countFindings(id)))).toEqual([0, 3]);
      expect(await catalog.listFindings(old.id, whole())).toEqual([]);
    });
  });
}
