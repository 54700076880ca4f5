import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { describe, expect, it } from "vitest";
import type { IdempotencyKey } from "../../src/catalog/idempotency.ts";
import type { OpenForTest } from "./opened-catalog.ts";
import {
  all,
  checksumOf,
  eventTypes,
  key,
  lifecycleJob,
  move,
  NOW,
  purge,
  restoreJob,
  startJob,
  write,
} from "./sample-changes.ts";

export function once(given: Partial<IdempotencyKey> = {}): IdempotencyKey {
  return { actor: "ann", key: "key 1", fingerprint: "f".repeat(64), at: NOW, ...given };
}

export function repeating(open: OpenForTest) {
  describe("a change with a known idempotency key", () => {
    it("returns the stored answer and changes nothing, also after a restart and later changes", async () => {
      await using opened = await open();
      const metadata = { ключ: ["𝄞", null] };
      const wrote = await opened.catalog.commit(write("a/w/1", { text: "first", metadata, once: once() }));
      const moved = await opened.catalog.commit(
        move("a/w/1", "COLD", { once: once({ key: "key 2" }), at: NOW + 1 }),
      );
      await opened.catalog.commit(write("a/w/1", { text: "later" }));
      const purged = await opened.catalog.commit(purge("a/w/1", { once: once({ key: "key 3" }) }));
      const catalog = await opened.reopen();

      expect(await catalog.commit(write("a/w/1", { text: "first", metadata, once: once() }))).toEqual(wrote);
      expect(wrote).toMatchObject({
        created: true,
        artifact: { checksum: checksumOf("first"), tier: "HOT" },
      });
      expect(await catalog.commit(move("a/w/1", "COLD", { once: once({ key: "key 2" }) }))).toEqual(moved);
      expect(await catalog.commit(purge("a/w/1", { once: once({ key: "key 3" }) }))).toEqual(purged);
      expect(await all(catalog)).toEqual([]);
      expect(await catalog.lastSeq()).toBe(4);
      expect(await catalog.unsettledTotal()).toEqual({ count: 0, bytes: 0 });
    });

    it("is made once where two requests are concurrent", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const outcomes = await catalog.commitAll(
        Array.from({ length: 200 }, () => write("a/w/1", { once: once() })),
      );
      const [first] = outcomes;
      expect(first).toMatchObject({ ok: true, result: { created: true } });
      expect(outcomes).toEqual(Array(200).fill(first));
      expect(await eventTypes(catalog)).toEqual(["ARTIFACT_WRITTEN"]);
    });

    it("returns the stored refusal, although it could be made now", async () => {
      await using opened = await open();
      const missing = move("a/w/1", "COLD", { once: once() });
      const first = await opened.catalog.commit(missing).catch((error: unknown) => error);
      await opened.catalog.commit(write("a/w/1"));
      const catalog = await opened.reopen();
      const again = await catalog.commit(missing).catch((error: unknown) => error);
      expect(first).toMatchObject({ code: "ARTIFACT_NOT_FOUND" });
      expect(again).toEqual(first);
      expect(await catalog.artifact(key("a/w/1"))).toMatchObject({ tier: "HOT" });
    });

    it("is made where the first attempt had a retryable refusal", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const change = { ...write("a/w/1", { once: once() }), bytes: null };
      await expect(catalog.commit(change)).rejects.toMatchObject({ code: "UNAVAILABLE" });
      const { object, store, owner, at } = change;
      await catalog.commit({ kind: "stage", object, store, owner, at });
      expect(await catalog.commit(change)).toMatchObject({ created: true });
    });

    it("leaves the object that was staged for it to be abandoned", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await catalog.commit(write("a/w/1", { once: once() }));
      const again = { ...write("a/w/1", { once: once() }), bytes: null };
      const { object, store, owner, at } = again;
      await catalog.commit({ kind: "stage", object, store, owner, at });
      const { artifact } = await catalog.commit(again);
      expect(artifact.object).not.toBe(object);
      await catalog.commit({ kind: "abandon", object, at });
      expect(await catalog.garbage("files", NOW, 9)).toMatchObject([{ object }]);
    });

    it("is a CONFLICT with another fingerprint, and the stored answer stays", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const first = await catalog.commit(write("a/w/1", { once: once() }));
      const other = write("a/w/2", { once: once({ fingerprint: "0".repeat(64) }) });
      await expect(catalog.commit(other)).rejects.toMatchObject({
        code: "CONFLICT",
        facts: { argument: "idempotencyKey" },
      });
      expect(await catalog.commit(write("a/w/1", { once: once() }))).toEqual(first);
      expect(await all(catalog)).toEqual([first.artifact]);
    });

    it("is independent of the same key of another actor", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await catalog.commit(write("a/w/1", { once: once() }));
      const theirs = once({ actor: "bob", fingerprint: "0".repeat(64) });
      expect(await catalog.commit(write("a/w/2", { once: theirs }))).toMatchObject({ created: true });
    });

    it("is made again once the stored answer is over 24 hours old, and not before", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await catalog.commit(write("a/w/1", { once: once() }));
      expect(await catalog.commit(write("a/w/1", { once: once({ at: NOW + DAY_MS }) }))).toMatchObject({
        created: true,
      });
      const late = once({ at: NOW + DAY_MS + 1, fingerprint: "0".repeat(64) });
      expect(await catalog.commit(write("a/w/1", { once: late }))).toMatchObject({ created: false });
      const again = { ...late, at: NOW + 2 * DAY_MS };
      expect(await catalog.commit(write("a/w/1", { once: again }))).toMatchObject({ created: false });
      expect(await catalog.lastSeq()).toBe(2);
      expect(await catalog.oldestAnswer()).toBe(late.at);
    });

    it("returns the job that the first attempt started or joined", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const live = lifecycleJob();
      const input = { steps: ["PURGE"] };
      const started = { jobId: live.id, started: true };
      const joined = { jobId: live.id, started: false };
      const start = (given = {}) => startJob(lifecycleJob(), { input, ...given });
      expect(await catalog.commit(startJob(live, { input, once: once() }))).toEqual(started);
      expect(await catalog.commit(start({ once: once() }))).toEqual(started);
      expect(await catalog.commit(start({ once: once({ key: "key 2" }) }))).toEqual(joined);
      const restore = restoreJob();
      const restoring = { jobId: restore.id, started: true };
      expect(await catalog.commit(startJob(restore, { once: once({ key: "key 3" }) }))).toEqual(restoring);
      expect(await catalog.commit(startJob(restoreJob(), { once: once({ key: "key 3" }) }))).toEqual(
        restoring,
      );
      const cancel = { kind: "requestCancel", jobId: live.id, once: once({ key: "key 4" }) } as const;
      expect(await catalog.commit(cancel)).toBeNull();
      expect(await catalog.commit(cancel)).toBeNull();
      await expect(
        catalog.commit({ ...cancel, jobId: "other", once: once({ key: "key 4", fingerprint: "0" }) }),
      ).rejects.toMatchObject({ code: "CONFLICT" });
      expect(await eventTypes(catalog)).toEqual(Array(2).fill("LIFECYCLE_JOB_STARTED"));
    });
  });

  describe("stored answers", () => {
    it("are found by actor and key for 24 hours", async () => {
      await using opened = await open();
      const { catalog } = opened;
      expect(await catalog.oldestAnswer()).toBeNull();
      await catalog.commit(write("a/w/1", { once: once() }));
      expect(await catalog.hasAnswer(once({ at: NOW + DAY_MS }))).toBe(true);
      expect(await catalog.hasAnswer(once({ at: NOW + DAY_MS + 1 }))).toBe(false);
      expect(await catalog.hasAnswer(once({ actor: "bob" }))).toBe(false);
      expect(await catalog.hasAnswer(once({ key: "key 2" }))).toBe(false);
    });

    it("are deleted in batches, oldest first, whatever the clock did when they were stored", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const instants = [NOW + 9 * DAY_MS, NOW + 2, NOW, NOW + 1, NOW + 3];
      await catalog.commitAll(
        instants.map((at, n) => write(`a/w/${n}`, { once: once({ key: `key ${n}`, at }) })),
      );
      const forget = { kind: "sweepAnswers", before: NOW + 3, limit: 2 } as const;
      expect(await catalog.commit(forget)).toBe(2);
      expect(await catalog.oldestAnswer()).toBe(NOW + 2);
      expect(await catalog.commit(forget)).toBe(1);
      expect(await catalog.commit(forget)).toBe(0);
      expect(await catalog.oldestAnswer()).toBe(NOW + 3);
    });
  });
}
