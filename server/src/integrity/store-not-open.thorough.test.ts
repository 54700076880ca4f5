import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { VerifyJob } from "@tierkeep/schema/services/jobs";
import { describe, expect, it } from "vitest";
import { whole } from "../../testing/catalog/sample-changes.ts";
import { jobsOf } from "../../testing/stores/engine-services.ts";
import { keyOf, TEST_ADMIN } from "../../testing/stores/engine-store.ts";
import { damageFile } from "../../testing/stores/file-damage.ts";
import { type StoreId, TwoStores } from "../../testing/stores/two-stores.ts";
import { Scrubber } from "./scrubber.ts";

const UNAVAILABLE = expect.stringContaining(
  "The store archive, which holds the bytes, is not configured here",
);

async function settledStores(): Promise<TwoStores> {
  const both = await TwoStores.open();
  await both.write(keyOf("cold"), "COLD", "cold");
  await both.write(keyOf("hot"), "HOT", "hot");
  await both.engine.drain();
  return both;
}

function objectPath(both: TwoStores, id: StoreId, object: string): string {
  return join(both.root, id, ".tierkeep", "objects", object.slice(0, 2), object);
}

/** Writes an object that no row names. */
function addUnknown(both: TwoStores, id: StoreId, object: string): void {
  const path = objectPath(both, id, object);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "unknown");
}

async function verify({ catalog, engine }: TwoStores, repair: boolean) {
  const jobs = jobsOf(engine);
  const job = (await jobs.verify(TEST_ADMIN, { repair, waitSeconds: 60 })) as VerifyJob;
  expect(job.status).toBe("SUCCEEDED");
  await jobs.stop();
  return { job, findings: await catalog.listFindings(job.id, whole()) };
}

/** Scrubs until a pass ends. */
async function scrub(both: TwoStores): Promise<void> {
  const { catalog, engine } = both;
  const scrubber = new Scrubber({
    catalog,
    checker: engine.checker,
    clock: { now: () => both.now },
    days: 0,
    bytesPerSecond: 2 ** 30,
    onProblem: (message) => both.problems.push(message),
    sleep: async () => {},
  });
  const { pass } = await catalog.scrubState();
  while ((await catalog.scrubState()).pass === pass) both.now += await scrubber.turn();
}

describe("while a store is not open", () => {
  it.each([false, true])("a verification reports its artifacts as UNREADABLE, repair %s", async (repair) => {
    await using both = await settledStores();
    await both.openOnly(["base"]);
    const { job, findings } = await verify(both, repair);
    expect(job).toMatchObject({ checkedCount: 2, damagedCount: 0, missingCount: 0, strayCount: 0 });
    expect(findings).toMatchObject([{ kind: "UNREADABLE", artifactId: "cold", message: UNAVAILABLE }]);
    expect(await both.stores.get("base")?.quarantined()).toEqual([]);
    await both.openBoth();
    expect((await verify(both, repair)).findings).toEqual([]);
    expect(await both.stores.get("archive")?.quarantined()).toEqual([]);
    expect(await both.read(keyOf("cold"))).toBe("cold");
  });

  it("the scrubber reports its artifacts once, and completes its passes", async () => {
    await using both = await settledStores();
    await both.openOnly(["base"]);
    for (let passes = 0; passes < 2; passes++) await scrub(both);
    const events = await both.catalog.listEvents({ types: ["SCAN_ERROR"] }, "ASC", whole());
    expect(events).toMatchObject([{ artifactId: "cold", error: UNAVAILABLE }]);
    expect(both.problems).toEqual([]);
    expect(await both.catalog.damagedCount()).toBe(0);
  });

  it("a verification reports its work as overdue", async () => {
    await using both = await settledStores();
    await both.write(keyOf("pending"), "COLD", "pending");
    await both.openOnly(["base"]);
    both.now += 2 * DAY_MS;
    const { findings } = await verify(both, false);
    expect(findings.map(({ kind }) => kind)).toContain("OVERDUE");
    await both.openBoth();
    expect((await verify(both, false)).findings).toEqual([]);
  });
});

describe("with two stores", () => {
  it("each store has its own position among the objects", async () => {
    await using both = await settledStores();
    const unknown = (ids: readonly StoreId[]) =>
      ids.map((id) => `${id === "base" ? "b" : "a"}`.padEnd(32, "0"));
    for (const id of ["base", "archive"] as const) addUnknown(both, id, unknown([id])[0] ?? "");
    const { checker } = both.engine;
    const found = async (position: Parameters<typeof checker.unknownObjects>[0]) =>
      (await checker.unknownObjects(position)).unknown.map(({ object }) => object);
    expect(await found({})).toEqual(unknown(["base", "archive"]));
    expect(await found({ base: null })).toEqual(unknown(["archive"]));
    expect(await found({ base: "b".padEnd(32, "0") })).toEqual(unknown(["archive"]));
    expect(await found({ base: "af", archive: "b" })).toEqual(unknown(["base"]));
    const ended = { next: { base: null, archive: null }, ended: true };
    expect(await checker.unknownObjects({ archive: "b" })).toMatchObject(ended);
    await both.openOnly(["archive"]);
    const { next } = await both.engine.checker.unknownObjects({ base: "af" });
    expect(next).toEqual({ base: "af", archive: null });
  });

  it("a position that an earlier version stored is one in the store base", async () => {
    await using both = await settledStores();
    addUnknown(both, "base", "a".padEnd(32, "0"));
    addUnknown(both, "archive", "b".padEnd(32, "0"));
    const place = {
      phase: "objects",
      from: 0,
      after: 9,
      round: true,
      tree: null,
      met: 2,
      dueAt: 0,
      lastEndedAt: null,
    };
    const position = { ...place, object: "c".padEnd(32, "0") };
    await both.catalog.commit({ kind: "scrubbed", position, passEnds: false });
    await scrub(both);
    const events = await both.catalog.listEvents({ types: ["SCAN_ERROR"] }, "ASC", whole());
    expect(events.map(({ error }) => error)).toEqual([expect.stringContaining("The object b0")]);
  });

  it("a repair finds content in another store, and quarantines each damaged object in its own store", async () => {
    await using both = await TwoStores.open();
    await both.write(keyOf("cold"), "COLD", "content of cold");
    await both.write(keyOf("hot"), "HOT", "content of hot!");
    await both.engine.drain();
    const [cold, hot] = [await both.row(keyOf("cold")), await both.row(keyOf("hot"))];
    const other = objectPath(both, "base", hot.object);
    damageFile(objectPath(both, "archive", cold.object), { kind: "swap", other });
    await verify(both, true);
    expect(await both.read(keyOf("cold"))).toBe("content of cold");
    expect(await both.read(keyOf("hot"))).toBe("content of hot!");
    expect((await both.row(keyOf("cold"))).store).toBe("archive");
    for (const store of both.stores.values()) expect(await store.quarantined()).toHaveLength(1);
  });
});
