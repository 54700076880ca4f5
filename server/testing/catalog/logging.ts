import { describe, expect, it } from "vitest";
import type { Catalog } from "../../src/catalog/catalog.ts";
import type { OpenForTest } from "./opened-catalog.ts";
import { lifecycleJob, move, NOW, path, purge, startJob, step, whole, write } from "./sample-changes.ts";

const seqs = (events: readonly { readonly seq: number }[]) => events.map(({ seq }) => seq);

export function logging(open: OpenForTest) {
  describe("the event log", () => {
    it("is empty at first", async () => {
      await using opened = await open();
      const { catalog } = opened;
      expect(await catalog.lastSeq()).toBe(0);
      expect(await catalog.listEvents({}, "DESC", whole())).toEqual([]);
      expect(await catalog.countEvents({})).toBe(0);
      expect(await catalog.eventsAfter({}, 0, 10)).toEqual({ events: [], scannedTo: 0 });
      expect(await catalog.events([1])).toEqual([null]);
      expect(await catalog.events([])).toEqual([]);
    });

    it("gives each event the next seq, in the order of commits, without gaps for refusals", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const outcomes = await catalog.commitAll([
        write("a/w/1"),
        purge("a/w/2"),
        write("a/w/2"),
        write("a/w/1"),
      ]);
      expect(outcomes.map(({ ok }) => ok)).toEqual([true, false, true, true]);
      const events = await catalog.listEvents({}, "ASC", whole());
      expect(events.map((event) => [event.seq, event.artifactId])).toEqual([
        [1, "1"],
        [2, "2"],
        [3, "1"],
      ]);
      expect(await catalog.lastSeq()).toBe(3);
    });

    it("calls listeners after each group that wrote events, once these can be read", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const heard: Promise<[number, number]>[] = [];
      const stop = catalog.onCommitted((seq) => heard.push(catalog.lastSeq().then((last) => [seq, last])));
      await catalog.commit(write("a/w/1"));
      await expect(catalog.commit(purge("a/w/2"))).rejects.toThrow();
      await catalog.commit({ kind: "collected", object: "0".repeat(32) });
      await catalog.commitAll([write("a/w/2"), write("a/w/3")]);
      stop();
      await catalog.commit(write("a/w/4"));
      expect(await Promise.all(heard)).toEqual([
        [1, 1],
        [3, 3],
      ]);
    });

    it("pages in both directions between two seqs", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await catalog.commitAll(Array.from({ length: 9 }, (_, n) => write(`${"ab"[n % 2]}/w/${n}`)));
      const window = { after: null, before: null, limit: 2, backward: false };
      const list = async (filter: object, direction: "ASC" | "DESC", change: object) =>
        seqs(await catalog.listEvents(filter, direction, { ...window, ...change }));
      expect(await list({}, "ASC", { after: 3 })).toEqual([4, 5]);
      expect(await list({}, "ASC", { after: 3, before: 8, backward: true })).toEqual([6, 7]);
      expect(await list({}, "DESC", {})).toEqual([9, 8]);
      expect(await list({}, "DESC", { after: 8 })).toEqual([7, 6]);
      expect(await list({}, "DESC", { backward: true })).toEqual([2, 1]);
      expect(await list({}, "DESC", { after: 8, before: 2, backward: true })).toEqual([4, 3]);
      expect(await list({ tenantId: "b" }, "DESC", {})).toEqual([8, 6]);
      expect(await list({ tenantId: "b" }, "ASC", { after: 4 })).toEqual([6, 8]);
      expect(await list({ tenantId: "b" }, "DESC", { after: 6, limit: 9 })).toEqual([4, 2]);
      expect(await list({}, "ASC", { after: 99 })).toEqual([]);
      expect(await list({}, "ASC", { limit: 0 })).toEqual([]);
      expect(seqs((await catalog.events([3, 99, 1])).filter((event) => event !== null))).toEqual([3, 1]);
      expect((await catalog.events([3, 99, 1]))[1]).toBeNull();
    });

    it("filters by every field of an event, alone and combined, and counts the same", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const { jobId } = await someOfEverything(catalog);
      const events = await catalog.listEvents({}, "ASC", whole());
      const filters = [
        { tenantId: "a" },
        { workflowId: "w" },
        { artifactId: "1" },
        { tenantId: "a", workflowId: "w", artifactId: "1" },
        { types: ["ARTIFACT_PURGED", "ARTIFACT_PROMOTED"] as const },
        { dryRun: true },
        { jobId },
        { jobId, tenantId: "a" },
        { since: NOW + 1 },
        { until: NOW + 1 },
        { since: NOW, until: NOW + 1, tenantId: "b" },
        { tenantId: "absent" },
        { tenantId: "a", workflowId: "nothing" },
        { jobId: "none" },
      ];
      for (const filter of filters) {
        const wanted = events.filter(
          (event) =>
            (filter.tenantId ?? event.tenantId) === event.tenantId &&
            (filter.workflowId ?? event.workflowId) === event.workflowId &&
            (filter.artifactId ?? event.artifactId) === event.artifactId &&
            (filter.types?.some((type) => type === event.type) ?? true) &&
            (filter.dryRun ?? event.dryRun) === event.dryRun &&
            (filter.jobId ?? event.jobId) === event.jobId &&
            event.timestamp >= (filter.since ?? 0) &&
            event.timestamp < (filter.until ?? Number.MAX_SAFE_INTEGER),
        );
        expect(await catalog.listEvents(filter, "ASC", whole())).toEqual(wanted);
        expect(await catalog.listEvents(filter, "DESC", whole())).toEqual(wanted.toReversed());
        expect(await catalog.countEvents(filter)).toBe(wanted.length);
        expect((await catalog.eventsAfter(filter, 0, 100)).events).toEqual(wanted);
      }
      expect(await catalog.countEvents({})).toBe(events.length);
    });

    it("follows a filter in steps to the end of the log, also across long stretches without a match", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await catalog.commitAll([
        write("rare/w/1"),
        ...Array.from({ length: 5_000 }, (_, n) => purge("a/w/1", { dryRun: n > 0 })),
      ]);
      await catalog.commitAll(
        Array.from({ length: 2_500 }, (_, n) => write(`a/w/${n % 3}`, { bytes: null, ifAbsent: true })),
      );
      await catalog.commit(write("a/w/1"));
      await catalog.commitAll(Array.from({ length: 2_500 }, () => move("a/w/1", "COLD", { dryRun: true })));
      await catalog.commit(write("rare/w/2"));
      const last = await catalog.lastSeq();
      const filters = [
        { tenantId: "rare" },
        { types: ["ARTIFACT_WRITTEN"] as const, tenantId: "rare" },
        { artifactId: "2" },
      ];
      for (const filter of filters) {
        const found: number[] = [];
        let calls = 0;
        for (let seq = 0; seq < last; calls += 1) {
          const { events, scannedTo } = await catalog.eventsAfter(filter, seq, 1);
          expect(scannedTo).toBeGreaterThan(seq);
          found.push(...seqs(events));
          seq = scannedTo;
        }
        expect(found).toEqual(seqs(await catalog.listEvents(filter, "ASC", whole())));
        expect(found).toContain(last);
        expect(calls).toBeLessThan(10);
      }
      // No event is lost between two reads.
      const dry = (await catalog.listEvents({}, "ASC", whole(100_000))).filter(({ dryRun }) => dryRun);
      expect(dry.length).toBeGreaterThan(2_400);
      expect(await catalog.listEvents({ dryRun: true }, "ASC", whole(100_000))).toEqual(dry);
      expect(await catalog.listEvents({ dryRun: true }, "DESC", whole(100_000))).toEqual(dry.toReversed());
      expect(await catalog.countEvents({ dryRun: true })).toBe(dry.length);
      expect(await catalog.countEvents({ dryRun: true, tenantId: "a" })).toBe(dry.length);
      expect(await catalog.eventsAfter({ tenantId: "absent" }, 0, 10)).toEqual({
        events: [],
        scannedTo: last,
      });
      expect(await catalog.eventsAfter({}, last, 10)).toEqual({ events: [], scannedTo: last });
    });
  });
}

async function someOfEverything(catalog: Catalog) {
  const job = lifecycleJob({ asOf: NOW + 8 * 24 * 60 * 60 * 1000 });
  const { artifact } = await catalog.commit(write("a/w/1"));
  await catalog.commitAll([
    write("b/w/1", { at: NOW + 1 }),
    write("a/v/2"),
    write("b/v/1"),
    move("a/v/2", "COLD", { at: NOW + 2 }),
    purge("a/v/2", { dryRun: true }),
    startJob(job),
    step(job, artifact),
    purge("b/w/1", { at: NOW + 3 }),
  ]);
  expect(path(artifact)).toBe("a/w/1");
  return { jobId: job.id };
}
