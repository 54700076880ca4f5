import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import { describe, expect, it } from "vitest";
import { keyOf, TEST_ADMIN } from "../../testing/stores/engine-store.ts";
import { TwoStores } from "../../testing/stores/two-stores.ts";
import { StorageError } from "../tiers/storage-error.ts";
import type { TierStore } from "../tiers/tier-store.ts";

const NOTHING = { unsettled: 0, unpublished: 0, uncollected: 0, staged: 0 };
/** Read as a stream. */
const LARGE = Buffer.alloc(1.25 * 2 ** 20, "large");

async function move(both: TwoStores, id: string, toTier: Tier): Promise<void> {
  await both.engine.artifacts.promote(TEST_ADMIN, { ...keyOf(id), toTier, dryRun: false });
}

/** Writes artifacts with their ids as content, settled and published, to "base". */
async function inBase(both: TwoStores, ...ids: readonly string[]): Promise<void> {
  for (const id of ids) await both.write(keyOf(id), "HOT", id);
  expect(await both.engine.drain()).toBe(true);
}

/** Replaces a method of a store. Returns what restores it. */
function replace<K extends "write" | "read">(
  both: TwoStores,
  id: "base" | "archive",
  name: K,
  by: (original: TierStore[K]) => TierStore[K],
): () => void {
  const store = both.stores.get(id);
  if (store === undefined) throw new Error(`${id} is not open.`);
  const original = store[name].bind(store) as TierStore[K];
  Object.defineProperty(store, name, { value: by(original), configurable: true, writable: true });
  return () => {
    Object.defineProperty(store, name, { value: original, configurable: true, writable: true });
  };
}

/** Checks that every artifact is in the store of its tier, can be read, and that nothing is left. */
async function expectInPlace(both: TwoStores, content: Readonly<Record<string, string>>): Promise<void> {
  const objects = { base: [] as string[], archive: [] as string[] };
  for (const [id, text] of Object.entries(content)) {
    const row = await both.row(keyOf(id));
    expect([id, row.store]).toEqual([id, row.tier === "HOT" ? "base" : "archive"]);
    expect(await both.read(keyOf(id))).toBe(text);
    objects[row.store as "base" | "archive"].push(row.object);
  }
  expect(await both.catalog.misplacedCount()).toBe(0);
  expect(await both.catalog.overdue(both.now + 1, {})).toEqual(NOTHING);
  expect(await both.objects("base")).toEqual(objects.base.toSorted());
  expect(await both.objects("archive")).toEqual(objects.archive.toSorted());
}

describe("an artifact that moves to a tier with another store", () => {
  it("is copied there and back, with its version and age, and leaves nothing behind", async () => {
    await using both = await TwoStores.open();
    await inBase(both, "small", "stays");
    await both.write(keyOf("large"), "HOT", LARGE);
    await both.engine.drain();
    await move(both, "small", "COLD");
    await move(both, "large", "COLD");
    const before = await both.row(keyOf("large"));
    const seq = await both.catalog.lastSeq();
    expect(await both.engine.drain()).toBe(true);
    const { object, store, ...facts } = await both.row(keyOf("large"));
    expect({ ...facts, object: before.object, store: "base" }).toEqual(before);
    expect([store, object === before.object]).toEqual(["archive", false]);
    expect(await both.catalog.lastSeq()).toBe(seq);
    await expectInPlace(both, { small: "small", stays: "stays", large: LARGE.toString() });
    // The view shows objects of its own store only.
    expect(readdirSync(join(both.root, "base", "hot", "acme", "nightly"))).toEqual([
      "stays",
      "stays.metadata.json",
    ]);
    expect(existsSync(join(both.root, "base", "cold", "acme", "nightly", "small"))).toBe(false);
    await move(both, "small", "HOT");
    expect(await both.engine.drain()).toBe(true);
    await expectInPlace(both, { small: "small", stays: "stays", large: LARGE.toString() });
    expect(existsSync(join(both.root, "base", "hot", "acme", "nightly", "small"))).toBe(true);
  });

  it("is copied once its content is settled", async () => {
    await using both = await TwoStores.open();
    await both.write(keyOf("a"), "HOT", "a");
    await move(both, "a", "COLD");
    expect(await both.row(keyOf("a"))).toMatchObject({ inline: true, store: "base" });
    expect(await both.engine.drain()).toBe(true);
    await expectInPlace(both, { a: "a" });
  });

  it("can be read during the copy, and the reader of the old object reads to the end", async () => {
    await using both = await TwoStores.open();
    await both.write(keyOf("a"), "HOT", LARGE);
    await both.engine.drain();
    await move(both, "a", "COLD");
    const content = await both.engine.artifacts.open(TEST_ADMIN, keyOf("a"));
    const reader = content?.body[Symbol.asyncIterator]();
    const first = await reader?.next();
    expect(await both.engine.drain()).toBe(true);
    await expectInPlace(both, { a: LARGE.toString() });
    const hash = createHash("sha256").update(first?.value ?? "");
    for (let next = await reader?.next(); next && !next.done; next = await reader?.next())
      hash.update(next.value);
    expect(hash.digest("hex")).toBe((await both.row(keyOf("a"))).checksum);
  });

  it.each([
    ["is overwritten", (both: TwoStores) => both.write(keyOf("a"), "COLD", "new"), { a: "new" }],
    [
      "is overwritten and moves again",
      async (both: TwoStores) => {
        await both.write(keyOf("a"), "HOT", "new");
        await move(both, "a", "COLD");
      },
      { a: "new" },
    ],
    ["moves back", (both: TwoStores) => move(both, "a", "HOT"), { a: "a" }],
    [
      "is purged",
      (both: TwoStores) => both.engine.artifacts.purge(TEST_ADMIN, { ...keyOf("a"), dryRun: false }),
      {},
    ],
    ["moves to another tier of the same store", (both: TwoStores) => move(both, "a", "WARM"), { a: "a" }],
  ] as const)("that %s during the copy is as the change left it", async (_, change, content) => {
    await using both = await TwoStores.open();
    await inBase(both, "a");
    await move(both, "a", "COLD");
    let changed = false;
    replace(both, "archive", "write", (write) => async (...given) => {
      const written = await write(...given);
      if (!changed) await change(both);
      changed = true;
      return written;
    });
    expect(await both.engine.drain()).toBe(true);
    expect(changed).toBe(true);
    await expectInPlace(both, content);
  });
});

describe("while copies fail", () => {
  it("a full target delays them and loses nothing", async () => {
    await using both = await TwoStores.open();
    await inBase(both, "a", "b");
    await move(both, "a", "COLD");
    const restore = replace(both, "archive", "write", () => async () => {
      throw new StorageError("FULL", "No space is left.");
    });
    expect(await both.engine.drain()).toBe(false);
    expect(both.problems.join()).toContain("relocate failed");
    expect(await both.row(keyOf("a"))).toMatchObject({ tier: "COLD", store: "base" });
    expect(await both.read(keyOf("a"))).toBe("a");
    restore();
    expect(await both.engine.drain()).toBe(true);
    await expectInPlace(both, { a: "a", b: "b" });
  });

  it("one that fails does not keep others from their store", async () => {
    await using both = await TwoStores.open();
    const ids = Array.from({ length: 40 }, (_, index) => `a${index}`);
    await inBase(both, ...ids);
    const bad = new Set(
      await Promise.all(ids.slice(0, 20).map(async (id) => (await both.row(keyOf(id))).object)),
    );
    const restore = replace(
      both,
      "base",
      "read",
      (read) => (object, options) =>
        bad.has(object)
          ? Promise.reject(new StorageError("UNREADABLE", "The bytes cannot be read."))
          : read(object, options),
    );
    for (const id of ids) await move(both, id, "COLD");
    expect(await both.engine.drain()).toBe(false);
    while ((await both.catalog.misplacedCount()) > 20) await both.engine.drain();
    expect((await both.row(keyOf("a39"))).store).toBe("archive");
    restore();
    expect(await both.engine.drain()).toBe(true);
    await expectInPlace(both, Object.fromEntries(ids.map((id) => [id, id])));
  });

  it("damaged content is marked, is not copied, and stays where it is", async () => {
    await using both = await TwoStores.open();
    await inBase(both, "a");
    await move(both, "a", "COLD");
    const { object } = await both.row(keyOf("a"));
    await both.stores.get("base")?.delete([object]);
    expect(await both.engine.drain()).toBe(false);
    expect(await both.row(keyOf("a"))).toMatchObject({ object, store: "base", damagedAt: both.now });
    expect(await both.objects("archive")).toEqual([]);
    await both.write(keyOf("a"), "COLD", "again");
    await both.engine.drain();
    await expectInPlace(both, { a: "again" });
  });

  it("a store that is not open delays its copies until it is", async () => {
    await using both = await TwoStores.open();
    await inBase(both, "a");
    await both.openOnly(["base"]);
    await move(both, "a", "COLD");
    expect(await both.engine.drain()).toBe(true);
    expect(await both.read(keyOf("a"))).toBe("a");
    await both.openBoth();
    expect(await both.engine.drain()).toBe(true);
    await expectInPlace(both, { a: "a" });
  });

  it("closing abandons a copy that runs, and the next start makes it again", async () => {
    await using both = await TwoStores.open();
    await both.openBoth(0, true);
    await inBase(both, "a");
    const started = Promise.withResolvers<void>();
    replace(both, "archive", "write", () => (_object, _content, { signal }) => {
      started.resolve();
      return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    });
    await move(both, "a", "COLD");
    await started.promise;
    await both.engine.close(Date.now() + 10_000);
    expect(await both.catalog.misplacedCount()).toBe(1);
    await both.openBoth();
    expect(await both.engine.drain()).toBe(true);
    await expectInPlace(both, { a: "a" });
  });
});

it("a crash at any call of a relocation leaves every artifact readable, and the next start completes it", async () => {
  for (let last = 0; ; last++) {
    await using both = await TwoStores.open();
    await both.write(keyOf("a"), "HOT", "a");
    await both.write(keyOf("large"), "HOT", LARGE);
    await both.engine.drain();
    await move(both, "a", "COLD");
    await move(both, "large", "COLD");
    const crashed = await both.crashAfter(last);
    await both.openBoth();
    const texts = { a: "a", large: LARGE.toString() };
    for (const [id, text] of Object.entries(texts)) expect(await both.read(keyOf(id))).toBe(text);
    expect(await both.engine.drain()).toBe(true);
    await expectInPlace(both, texts);
    if (!crashed) {
      expect(last).toBeGreaterThan(10);
      return;
    }
  }
});
