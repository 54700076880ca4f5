import { describe, expect, it } from "vitest";
import type { RelocatedChange } from "../../src/catalog/artifact-changes.ts";
import type { Catalog } from "../../src/catalog/catalog.ts";
import type { OpenForTest } from "./opened-catalog.ts";
import {
  all,
  IN_FILES,
  key,
  lifecycleJob,
  move,
  NOW,
  newObject,
  plan,
  plannedItem,
  purge,
  startJob,
  step,
  write,
  writeStaged,
} from "./sample-changes.ts";

const OWNER = "this process";
const storeIds = { ...IN_FILES, COLD: "archive" };
const BOTH = ["files", "archive"];

/** Stages an object in "archive" as a copy of the artifact's current object. */
async function copyOf(catalog: Catalog, of: string): Promise<RelocatedChange> {
  const row = await catalog.artifact(key(of));
  const object = newObject();
  await catalog.commit({ kind: "stage", object, store: "archive", owner: OWNER, at: NOW });
  const copy = { from: row?.object ?? newObject(), object, store: "archive" };
  return { kind: "relocated", key: key(of), copy, storeIds, owner: OWNER, at: NOW + 2 };
}

async function misplaced(catalog: Catalog, store = "archive"): Promise<readonly string[]> {
  return (await catalog.misplacedKeys(store, storeIds, BOTH, 100)).map(({ key }) => key.artifactId);
}

export function relocating(open: OpenForTest) {
  describe("an artifact whose tier has another store", () => {
    it("is misplaced from its move on, and listed for that store once its content is settled", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await writeStaged(catalog, write("a/w/first", { at: NOW }));
      await catalog.commit(write("a/w/inline", { at: NOW }));
      await writeStaged(catalog, write("a/w/stays", { at: NOW }));
      await catalog.commit(move("a/w/inline", "COLD", { storeIds, at: NOW + 2 }));
      await catalog.commit(move("a/w/first", "COLD", { storeIds, at: NOW + 1 }));
      await catalog.commit(move("a/w/stays", "WARM", { storeIds, at: NOW + 1 }));
      expect(await catalog.misplacedCount()).toBe(2);
      expect(await misplaced(catalog)).toEqual(["first"]);
      expect(await misplaced(catalog, "files")).toEqual([]);
      expect(await catalog.misplacedKeys("archive", storeIds, ["archive"], 100)).toEqual([]);
      for (const { object, key } of await catalog.unsettled("files", 9))
        await catalog.commit({ kind: "settled", key, object });
      expect(await misplaced(catalog)).toEqual(["first", "inline"]);
    });

    it("is misplaced after the step of a lifecycle run", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await writeStaged(catalog, write("a/w/1", { tier: "WARM", at: 0 }));
      const job = lifecycleJob({ startedAt: NOW });
      await catalog.commit(startJob(job));
      const [row] = await all(catalog);
      if (row === undefined) throw new Error("The artifact is missing.");
      const change = step(job, row, { storeIds });
      await plan(catalog, job.id, [["PROMOTE_TO_COLD", [plannedItem(row)]]]);
      await catalog.commit(change);
      expect(await catalog.artifact(key("a/w/1"))).toMatchObject({ tier: "COLD", store: "files" });
      expect(await misplaced(catalog)).toEqual(["1"]);
    });

    it("names the copy after relocated, with its version, tier and age, and without an event", async () => {
      await using opened = await open();
      const { catalog } = opened;
      await writeStaged(catalog, write("a/w/1"));
      await catalog.commit(move("a/w/1", "COLD", { storeIds, at: NOW + 1 }));
      const before = await catalog.artifact(key("a/w/1"));
      const change = await copyOf(catalog, "a/w/1");
      const seq = await catalog.lastSeq();
      expect(await catalog.commit(change)).toBe(true);
      expect(await catalog.artifact(key("a/w/1"))).toEqual({
        ...before,
        object: change.copy?.object,
        store: "archive",
      });
      expect(await catalog.lastSeq()).toBe(seq);
      expect(await catalog.misplacedCount()).toBe(0);
      const [dirty] = await catalog.dirtyKeys(BOTH, 9);
      expect(dirty?.garbage).toEqual([{ object: before?.object, store: "files" }]);
      await catalog.commit({ kind: "published", key: key("a/w/1"), version: dirty?.version ?? 0 });
      expect(await catalog.garbage("files", NOW + 1, 9)).toEqual([]);
      expect(await catalog.garbage("files", NOW + 2, 9)).toMatchObject([{ object: before?.object }]);
      expect(await catalog.miscounts(9)).toEqual([]);
      await catalog.commit({ kind: "abandon", object: change.copy?.object ?? "", at: NOW });
      expect(await catalog.garbage("archive", NOW + 9, 9)).toEqual([]);
    });

    it("keeps its object where it changed during the copy, and stays marked until it is in place", async () => {
      await using opened = await open();
      const { catalog } = opened;
      const rowAfter = async (change: RelocatedChange) => {
        const before = await all(catalog);
        expect(await catalog.commit(change)).toBe(false);
        expect(await all(catalog)).toEqual(before);
        return [await catalog.misplacedCount(), before[0]?.store ?? null];
      };
      const start = async () => {
        await writeStaged(catalog, write("a/w/1"));
        await catalog.commit(move("a/w/1", "COLD", { storeIds }));
        return copyOf(catalog, "a/w/1");
      };
      const overwritten = await start();
      await writeStaged(catalog, write("a/w/1", { tier: "COLD" }));
      expect(await rowAfter(overwritten)).toEqual([1, "files"]);
      const damaged = await copyOf(catalog, "a/w/1");
      const row = await catalog.artifact(key("a/w/1"));
      await catalog.commit({
        kind: "damage",
        key: key("a/w/1"),
        object: row?.object ?? "",
        error: "bits fell",
        at: NOW,
        actor: "scrub",
      });
      expect(await rowAfter(damaged)).toEqual([1, "files"]);
      expect(await misplaced(catalog)).toEqual([]);
      const movedBack = await start();
      await catalog.commit(move("a/w/1", "HOT", { storeIds, as: "restore" }));
      expect(await rowAfter(movedBack)).toEqual([0, "files"]);
      const abandoned = await start();
      await catalog.commit({ kind: "abandon", object: abandoned.copy?.object ?? "", at: NOW });
      expect(await rowAfter(abandoned)).toEqual([1, "files"]);
      const purged = await copyOf(catalog, "a/w/1");
      await catalog.commit(purge("a/w/1"));
      expect(await misplaced(catalog, "files")).toEqual(["1"]);
      expect(await rowAfter(purged)).toEqual([0, null]);
    });
  });
}
