import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { keyOf, TEST_ADMIN } from "../../testing/stores/engine-store.ts";
import { type StoreId, TwoStores } from "../../testing/stores/two-stores.ts";

/** More than one batch of settle and of publish. */
const WRITES = 130;
/** More than one batch of collect. */
const GARBAGE = 260;
const HOUR_MS = 60 * 60 * 1000;
const NOTHING = { unsettled: 0, unpublished: 0, uncollected: 0, staged: 0 };

/** Two stores with the work of both: more than a batch for "archive", which is older, and one of each for "base". */
async function storesWithWork(): Promise<TwoStores> {
  const both = await TwoStores.open();
  await both.write(keyOf("replaced"), "HOT", "old");
  await both.engine.drain();
  await both.write(keyOf("replaced"), "COLD", "in the archive");
  for (let index = 0; index < WRITES; index++)
    await both.write(keyOf(`cold-${index}`), "COLD", `cold ${index}`);
  both.now += 1;
  await abandon(both, "archive", GARBAGE);
  both.now += 1;
  await both.write(keyOf("hot"), "HOT", "hot");
  await abandon(both, "base", 1);
  return both;
}

/** Makes new objects of this store garbage. */
async function abandon(
  { catalog, engine, now, stores }: TwoStores,
  store: StoreId,
  count: number,
): Promise<void> {
  const objects = Array.from(
    { length: count },
    (_, index) => `${store === "base" ? "b" : "a"}${String(index).padStart(31, "0")}`,
  );
  await stores
    .get(store)
    ?.put(objects.map((object) => ({ object, bytes: Buffer.from("x"), modifiedAt: now })));
  const stage = { kind: "stage", store, owner: "an earlier process", at: now } as const;
  await catalog.commitAll(objects.map((object) => ({ ...stage, object })));
  await engine.catalog.commitAll(objects.map((object) => ({ kind: "abandon" as const, object, at: now })));
}

describe("while a store is not open", () => {
  it("a read of its object is refused with TIER_UNAVAILABLE and the store's id", async () => {
    await using both = await TwoStores.open();
    await both.write(keyOf("cold"), "COLD", "cold");
    await both.write(keyOf("hot"), "HOT", "hot");
    await both.engine.drain();
    await both.openOnly(["base"]);
    await expect(both.read(keyOf("cold"))).rejects.toMatchObject({
      code: "TIER_UNAVAILABLE",
      message: expect.stringContaining("The store archive"),
    });
    expect(await both.read(keyOf("hot"))).toBe("hot");
    await expect(both.write(keyOf("new"), "COLD", "new")).rejects.toMatchObject({ code: "TIER_UNAVAILABLE" });
  });

  it("its work waits and is overdue, the work of the other store is done, and all of it once the store opens", async () => {
    await using both = await storesWithWork();
    await both.openOnly(["base"]);
    expect(await both.engine.drain()).toBe(true);
    expect(both.problems).toEqual([]);
    expect((await both.row(keyOf("hot"))).inline).toBe(false);
    const published = join(both.root, "base", "hot", "acme", "nightly");
    expect(readFileSync(join(published, "hot"), "utf8")).toBe("hot");
    expect(await both.catalog.garbage("base", both.now, 9)).toEqual([]);
    const due = { ...NOTHING, unsettled: WRITES + 1, unpublished: WRITES + 1, uncollected: GARBAGE + 1 };
    expect(await both.catalog.overdue(both.now + 1, {})).toEqual(due);
    expect(existsSync(join(published, "replaced"))).toBe(true);

    await both.openBoth();
    expect(await both.engine.drain()).toBe(true);
    expect(await both.catalog.overdue(both.now + 1, {})).toEqual(NOTHING);
    expect(existsSync(join(published, "replaced"))).toBe(false);
    expect(await both.objects("archive")).toHaveLength(WRITES + 1);
    expect(await both.objects("base")).toHaveLength(1);
    expect(await both.read(keyOf("replaced"))).toBe("in the archive");
  });

  it("the other store works without the view of the first", async () => {
    await using both = await storesWithWork();
    await both.openOnly(["archive"]);
    expect(await both.engine.drain()).toBe(true);
    expect(await both.read(keyOf("cold-0"))).toBe("cold 0");
    // The key has garbage in "base", whose view may still show it.
    expect(await both.catalog.areDirty([keyOf("replaced"), keyOf("cold-0")])).toEqual([true, false]);
    await both.openBoth();
    expect(await both.engine.drain()).toBe(true);
    expect(await both.catalog.overdue(both.now + 1, {})).toEqual(NOTHING);
  });
});

it("a store that fails does not keep upkeep from settling and collecting another", async () => {
  await using both = await storesWithWork();
  await both.stores.get("archive")?.close();
  expect(await both.engine.drain()).toBe(false);
  expect(both.problems.some((problem) => problem.startsWith("settle failed"))).toBe(true);
  expect((await both.row(keyOf("hot"))).inline).toBe(false);
  expect(await both.catalog.garbage("base", both.now, 9)).toEqual([]);
});

it("garbage is kept for the grace of its store, then deleted", async () => {
  await using both = await TwoStores.open();
  await both.openBoth(HOUR_MS);
  await both.write(keyOf("a"), "HOT", "first");
  await both.engine.drain();
  await both.write(keyOf("a"), "HOT", "second");
  const objects = async () => {
    await both.engine.drain();
    return (await both.objects("base")).length;
  };
  both.now += HOUR_MS - 1;
  expect(await objects()).toBe(2);
  expect(await both.catalog.overdue(both.now + 1, { base: HOUR_MS })).toEqual(NOTHING);
  both.now += 1;
  expect(await objects()).toBe(1);
  await both.engine.artifacts.purge(TEST_ADMIN, { ...keyOf("a"), dryRun: false });
  expect(await objects()).toBe(1);
  both.now += HOUR_MS;
  expect(await objects()).toBe(0);
});

it("upkeep deletes garbage after its grace, also when nothing else is committed", async () => {
  await using both = await TwoStores.open();
  await both.openBoth(300, true);
  for (const text of ["first", "second"]) {
    await both.write(keyOf("a"), "HOT", text);
    await both.engine.drain();
  }
  expect(await both.objects("base")).toHaveLength(2);
  await expect.poll(() => both.objects("base"), { timeout: 10_000 }).toHaveLength(1);
  await both.engine.close(Date.now());
});
