import { describe, expect, it } from "vitest";
import type { OpenForTest } from "./opened-catalog.ts";
import {
  all,
  eventTypes,
  IN_FILES,
  key,
  move,
  NOW,
  newObject,
  purge,
  write,
  writeStaged,
} from "./sample-changes.ts";

export function backlog(open: OpenForTest) {
  describe("work after a commit", () => {
    it("keeps inline content until it is settled, oldest first", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const [a, b] = [write("a/w/1", { at: NOW + 5 }), write("a/w/2")];
      await catalog.commitAll([a, b]);
      await writeStaged(catalog, write("a/w/3"));
      expect(await catalog.unsettled("files", 1)).toEqual([
        { key: a.key, object: a.object, store: "files", bytes: a.bytes, modifiedAt: NOW + 5 },
      ]);
      expect(await catalog.unsettledTotal()).toEqual({ count: 2, bytes: a.sizeBytes + b.sizeBytes });
      const before = await catalog.artifact(a.key);
      await catalog.commit({ kind: "settled", key: a.key, object: a.object });
      expect(await catalog.artifact(a.key)).toEqual({ ...before, inline: false });
      expect((await catalog.unsettled("files", 9)).map(({ object }) => object)).toEqual([b.object]);
      expect(await catalog.unsettledTotal()).toEqual({ count: 1, bytes: b.sizeBytes });
      expect(await catalog.lastSeq()).toBe(3);
    });

    it("ignores a settled object that no row names, or that was settled before", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const [first, second] = [write("a/w/1", { text: "first" }), write("a/w/1", { text: "second!" })];
      await catalog.commitAll([first, second]);
      expect(await catalog.unsettledTotal()).toEqual({ count: 1, bytes: 7 });
      await catalog.commit({ kind: "settled", key: first.key, object: first.object });
      expect(await catalog.content(first.key)).toMatchObject({ bytes: second.bytes, row: { inline: true } });
      await catalog.commit({ kind: "settled", key: first.key, object: second.object });
      await catalog.commit({ kind: "settled", key: first.key, object: second.object });
      expect(await catalog.content(first.key)).toMatchObject({ bytes: null, row: { inline: false } });
      await catalog.commit({ kind: "settled", key: key("a/w/2"), object: second.object });
      expect(await catalog.unsettledTotal()).toEqual({ count: 0, bytes: 0 });
    });

    it("keeps the inline content of a moved artifact, and drops that of a purged one", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const change = write("a/w/1");
      await catalog.commitAll([change, move("a/w/1", "COLD")]);
      expect(await catalog.content(change.key)).toMatchObject({ bytes: change.bytes, row: { tier: "COLD" } });
      expect(await catalog.unsettled("files", 9)).toMatchObject([{ object: change.object }]);
      await catalog.commit(purge("a/w/1"));
      expect(await catalog.unsettled("files", 9)).toEqual([]);
      expect(await catalog.unsettledTotal()).toEqual({ count: 0, bytes: 0 });
    });

    it("limits one result by bytes, too", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const text = "x".repeat(5 * 1024 * 1024);
      await catalog.commitAll([write("a/w/1", { text }), write("a/w/2", { text }), write("a/w/3")]);
      expect(await catalog.unsettled("files", 10)).toHaveLength(1);
    });

    it("marks a key as unpublished with every change of its row, until it is published at its current version", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const { artifact } = await writeStaged(catalog, write("a/w/1"));
      await catalog.commit(write("a/w/inline"));
      // Inline content has no object yet to which a view could link.
      expect(await catalog.dirtyKeys(["files"], 9)).toEqual([
        { key: key("a/w/1"), version: artifact.version, row: artifact, garbage: [] },
      ]);
      expect(await catalog.dirtyCount()).toBe(2);
      const moved = await catalog.commit(move("a/w/1", "COLD"));
      const published = { kind: "published", key: key("a/w/1"), version: artifact.version } as const;
      await catalog.commit(published);
      expect(await catalog.dirtyKeys(["files"], 9)).toMatchObject([
        { version: moved.artifact.version, row: moved.artifact },
      ]);
      await catalog.commit({ ...published, version: moved.artifact.version });
      expect(await catalog.dirtyKeys(["files"], 9)).toEqual([]);
      expect(await catalog.dirtyCount()).toBe(1);
      await catalog.commit({ ...published, key: key("absent/w/1") });
    });

    it("returns an unpublished key with its current row and the objects of its earlier versions", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const [first, second] = [write("a/w/1", { store: "old files" }), write("a/w/1")];
      await writeStaged(catalog, first);
      await writeStaged(catalog, second);
      await catalog.commit(purge("a/w/1"));
      const last = await catalog.lastSeq();
      const garbage = [
        { object: first.object, store: "old files" },
        { object: second.object, store: "files" },
      ];
      const [dirty] = await catalog.dirtyKeys(["files", "old files"], 9);
      expect(dirty).toMatchObject({ key: key("a/w/1"), version: last, row: null });
      expect(dirty?.garbage).toHaveLength(2);
      expect(dirty?.garbage).toEqual(expect.arrayContaining(garbage));
    });

    it("lists unpublished keys by their last change, oldest first", async () => {
      await using opened = await open();
      const { catalog } = opened;
      for (const name of ["3", "1", "2"]) await writeStaged(catalog, write(`a/w/${name}`));
      await catalog.commit(move("a/w/3", "COLD"));
      expect((await catalog.dirtyKeys(["files"], 2)).map((dirty) => dirty.key.artifactId)).toEqual([
        "1",
        "2",
      ]);
    });

    it("leaves out unpublished keys whose row or garbage is in another store", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await writeStaged(catalog, write("a/w/row", { store: "away" }));
      await writeStaged(catalog, write("a/w/garbage", { store: "away" }));
      await writeStaged(catalog, write("a/w/garbage"));
      await writeStaged(catalog, write("a/w/purged", { store: "away" }));
      await catalog.commit(purge("a/w/purged"));
      await writeStaged(catalog, write("a/w/here"));
      const names = async (stores: readonly string[], limit = 9) =>
        (await catalog.dirtyKeys(stores, limit)).map((dirty) => dirty.key.artifactId);
      expect(await names(["files"], 1)).toEqual(["here"]);
      expect(await names(["away", "files"])).toEqual(["row", "garbage", "purged", "here"]);
      expect(await names([])).toEqual([]);
    });

    it("lists the inline content and the garbage of one store", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const [away, here] = [write("a/w/away", { store: "away" }), write("a/w/here")];
      await catalog.commitAll([away, here]);
      const abandoned = new Map([away, here].map(({ store }) => [store, newObject()]));
      for (const [store, object] of abandoned) {
        await catalog.commit({ kind: "stage", object, store, owner: "me", at: NOW });
        await catalog.commit({ kind: "abandon", object, at: NOW });
      }
      for (const { store, object } of [away, here]) {
        expect(await catalog.unsettled(store, 1)).toMatchObject([{ store, object }]);
        const garbage = [{ object: abandoned.get(store), store, since: NOW }];
        expect(await catalog.garbage(store, NOW, 1)).toEqual(garbage);
      }
    });

    it("lists garbage up to an instant once its key is published", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const first = write("a/w/1");
      await writeStaged(catalog, first);
      const { artifact } = await writeStaged(catalog, write("a/w/1", { at: NOW + 10 }));
      expect(await catalog.garbage("files", NOW + 10, 9)).toEqual([]);
      await catalog.commit({ kind: "published", key: first.key, version: artifact.version });
      expect(await catalog.garbage("files", NOW + 9, 9)).toEqual([]);
      expect(await catalog.garbage("files", NOW + 10, 9)).toEqual([
        { object: first.object, store: "files", since: NOW + 10 },
      ]);
      await catalog.commit({ kind: "collected", object: first.object });
      expect(await catalog.garbage("files", NOW + 10, 9)).toEqual([]);
    });

    it("turns abandoned objects, and those that other owners staged, into garbage", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const mine = newObject();
      const stage = (object: string, owner: string) =>
        ({ kind: "stage", object, store: "files", owner, at: NOW }) as const;
      const orphaned = [newObject(), newObject(), newObject()];
      await catalog.commitAll([stage(mine, "me"), ...orphaned.map((object) => stage(object, "dead"))]);
      const abandon = { kind: "abandonOrphaned", owner: "me", limit: 2, at: NOW } as const;
      expect(await catalog.commit(abandon)).toBe(2);
      expect(await catalog.commit(abandon)).toBe(1);
      expect(await catalog.commit(abandon)).toBe(0);
      const garbage = (await catalog.garbage("files", NOW, 9)).map(({ object }) => object);
      expect(garbage.toSorted()).toEqual(orphaned.toSorted());
      await catalog.commit({ kind: "abandon", object: mine, at: NOW });
      await catalog.commit({ kind: "abandon", object: mine, at: NOW });
      await catalog.commit({ kind: "abandon", object: newObject(), at: NOW });
      expect(await catalog.garbage("files", NOW, 9)).toHaveLength(4);
      await expect(
        catalog.commit({ ...write("a/w/1", { object: mine, owner: "me" }), bytes: null }),
      ).rejects.toMatchObject({
        code: "UNAVAILABLE",
      });
      expect(await catalog.lastSeq()).toBe(0);
    });

    it("finds unknown objects: in no row, not garbage, not staged", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const [kept, replaced, staged, stray] = [newObject(), newObject(), newObject(), newObject()];
      await writeStaged(catalog, write("a/w/1", { object: replaced }));
      await writeStaged(catalog, write("a/w/1", { object: kept }));
      await catalog.commit({ kind: "stage", object: staged, store: "files", owner: "me", at: NOW });
      expect(await catalog.strays("files", [stray, kept, replaced, staged])).toEqual([stray]);
      expect(await catalog.strays("other files", [kept])).toEqual([kept]);
      expect(await catalog.strays("files", [])).toEqual([]);
    });

    it("counts the work that was due before an instant", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const nothing = { unsettled: 0, unpublished: 0, uncollected: 0, staged: 0 };
      expect(await catalog.overdue(NOW + 9, {})).toEqual(nothing);
      await catalog.commitAll([write("a/w/1"), write("a/w/2", { at: NOW + 2 })]);
      await writeStaged(catalog, write("a/w/3"));
      await writeStaged(catalog, write("a/w/3", { at: NOW + 1 }));
      await catalog.commit({ kind: "stage", object: newObject(), store: "files", owner: "me", at: NOW });
      expect(await catalog.overdue(NOW, {})).toEqual(nothing);
      expect(await catalog.overdue(NOW + 1, {})).toEqual({
        ...nothing,
        unsettled: 1,
        unpublished: 1,
        staged: 1,
      });
      expect(await catalog.overdue(NOW + 3, {})).toEqual({
        unsettled: 2,
        unpublished: 3,
        uncollected: 1,
        staged: 1,
      });
      expect(await catalog.overdue(NOW + 3, { files: 1, other: 9 })).toMatchObject({ uncollected: 1 });
      expect(await catalog.overdue(NOW + 3, { files: 2 })).toMatchObject({ uncollected: 0 });
    });

    it("logs damage once per object that a row names, and marks the row until it is written again", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const change = write("a/w/1");
      await writeStaged(catalog, change);
      const rows = await all(catalog);
      const damage = {
        kind: "damage",
        key: change.key,
        object: change.object,
        error: "bits fell",
        at: NOW,
        actor: "system",
      } as const;
      const outcomes = await catalog.commitAll([
        damage,
        damage,
        { ...damage, object: newObject() },
        { ...damage, key: key("a/w/2") },
      ]);
      expect(outcomes).toEqual(Array(4).fill({ ok: true, result: null }));
      expect(await eventTypes(catalog)).toEqual(["ARTIFACT_WRITTEN", "SCAN_ERROR"]);
      expect(await catalog.events([2])).toMatchObject([
        { errorCode: "CHECKSUM_MISMATCH", error: "bits fell", checksum: change.checksum, fromTier: "HOT" },
      ]);
      expect(await all(catalog)).toEqual(rows.map((row) => ({ ...row, damagedAt: NOW })));
      const moved = { kind: "move", as: "promote", key: change.key, fromTier: null, toTier: "WARM" } as const;
      await catalog.commit({
        ...moved,
        storeIds: IN_FILES,
        ifChecksum: null,
        dryRun: false,
        at: NOW,
        actor: "ann",
      });
      expect(await all(catalog)).toMatchObject([{ tier: "WARM", damagedAt: NOW }]);
      const second = write("a/w/1");
      await writeStaged(catalog, second);
      expect(await all(catalog)).toMatchObject([{ damagedAt: null }]);
      await catalog.commit({ ...damage, object: second.object });
      expect(await catalog.lastSeq()).toBe(5);
    });

    it("stores the exporter's durable position", async () => {
      await using opened = await open();
      expect(await opened.catalog.exportState()).toBeNull();
      const state = { file: "events.jsonl", offset: 10, seq: 2, head: "ab" };
      await opened.catalog.commit({ kind: "exported", state });
      await opened.catalog.commit({ kind: "exported", state: { ...state, offset: 20 } });
      expect(await (await opened.reopen()).exportState()).toEqual({ ...state, offset: 20 });
    });
  });
}
