import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { whole } from "../../testing/catalog/sample-changes.ts";
import { type Damage, damage, replaceFile } from "../../testing/faults/rot.ts";
import { EngineStore, keyOf } from "../../testing/stores/engine-store.ts";
import type { ArtifactRow } from "../catalog/rows.ts";
import type { Checker } from "./checker.ts";
import { Scrubber, type ScrubberParts } from "./scrubber.ts";

const RATE = 1024 * 1024;

/** Sleeping turns the store's clock. */
function partsOf(store: EngineStore): ScrubberParts {
  return {
    catalog: store.catalog,
    checker: store.engine.checker,
    clock: { now: () => store.now },
    days: 0,
    bytesPerSecond: RATE,
    onProblem: (message, error) => {
      throw new Error(message, { cause: error });
    },
    sleep: async (ms) => {
      store.now += Math.ceil(ms);
    },
  };
}

function scrubberOf(store: EngineStore, parts: Partial<ScrubberParts> = {}): Scrubber {
  return new Scrubber({ ...partsOf(store), ...parts });
}

/** The store's checker; `onBytes` is told of whatever it reads. */
function watched({ engine: { checker } }: EngineStore, onBytes: (bytes: number) => void): Checker {
  const check: Checker["check"] = (rows, signal, pace) =>
    checker.check(rows, signal, async (bytes) => {
      onBytes(bytes);
      await pace?.(bytes);
    });
  return new Proxy(checker, {
    get: (_, name) => (name === "check" ? check : Reflect.get(checker, name).bind(checker)),
  });
}

/** Scrubs until a pass is over; `next` answers the scrubber of each turn. How many turns, and how long it waited between them. */
async function pass(store: EngineStore, next: () => Scrubber) {
  const { pass: before } = await store.catalog.scrubState();
  let turns = 0;
  let waited = 0;
  while ((await store.catalog.scrubState()).pass === before) {
    const wait = Math.ceil(await next().turn());
    store.now += wait;
    waited += wait;
    turns += 1;
  }
  return { turns, waited };
}

async function filled(store: EngineStore, count: number, sizeOf = (index: number) => 10 + index) {
  const names = Array.from({ length: count }, (_, index) => `a${index}`);
  for (const [index, name] of names.entries())
    await store.write(keyOf(name), Buffer.alloc(sizeOf(index), `${name}.`));
  expect(await store.engine.drain()).toBe(true);
  return names;
}

function newEvents(store: EngineStore, after: number) {
  return store.catalog.listEvents({}, "ASC", { ...whole(), after });
}

const KINDS: readonly Damage["kind"][] = ["flip", "cut", "grow", "zero", "lose", "swap"];

describe("a pass of the scrubber", () => {
  it("finds damage of every kind, strays and a tree that differs, each with one event, and leaves the rest alone", async () => {
    await using store = await EngineStore.open();
    const names = await filled(store, 30);
    const rows = new Map<string, ArtifactRow>();
    for (const name of names) rows.set(name, await store.row(keyOf(name)));
    const objectOf = (name: string) => store.objectPath(rows.get(name)?.object ?? "");
    for (const [index, kind] of KINDS.entries())
      damage(objectOf(`a${index}`), { kind, through: "object", at: 0.5, much: 0.5 }, objectOf("a9"));
    const harmed = ["a0", "a1", "a2", "a3", "a4", "a5", "a9"];
    replaceFile(join(store.root, "hot", "acme", "nightly", "a20"));
    const stray = "f".repeat(32);
    mkdirSync(join(store.objectPath(stray), ".."), { recursive: true });
    writeFileSync(store.objectPath(stray), "nobody's");
    writeFileSync(join(store.root, "warm", "nobody"), "no artifact can stand here");
    mkdirSync(join(store.root, "warm", "acme", "nightly"), { recursive: true });
    writeFileSync(join(store.root, "warm", "acme", "nightly", "unknown"), "a stranger's");

    const before = await store.catalog.lastSeq();
    const scrubber = scrubberOf(store, { random: () => 0.5 });
    await pass(store, () => scrubber);
    const told = await newEvents(store, before);
    expect(new Set(told.map(({ type }) => type))).toEqual(new Set(["SCAN_ERROR"]));
    const damaged = told.filter(({ errorCode }) => errorCode === "CHECKSUM_MISMATCH");
    expect(damaged.map(({ artifactId }) => artifactId).sort()).toEqual(harmed);
    const others = told.filter(({ errorCode }) => errorCode === null).map(({ error }) => error ?? "");
    // Where an object is gone or another one, its place in the tree differs from it.
    expect(others.filter((error) => error.includes("a20 is a file that does not belong there"))).toHaveLength(
      1,
    );
    expect(others.filter((error) => error.includes(stray))).toHaveLength(1);
    expect(others.filter((error) => error.includes("nightly/unknown is no artifact's"))).toHaveLength(1);
    for (const name of names) {
      const { damagedAt, ...rest } = await store.row(keyOf(name));
      expect([name, damagedAt !== null]).toEqual([name, harmed.includes(name)]);
      expect({ ...rest, damagedAt: null }).toEqual(rows.get(name));
    }
    expect(scrubber.figures).toMatchObject({ artifacts: 30, findings: told.length });

    const after = await store.catalog.lastSeq();
    await pass(store, () => scrubber);
    expect(await newEvents(store, after)).toEqual([]);
  });

  it("tells again of what had gone for a whole pass", async () => {
    await using store = await EngineStore.open();
    await filled(store, 3);
    const stranger = join(store.root, "hot", "acme", "nightly", "unknown");
    const scrubber = scrubberOf(store);
    writeFileSync(stranger, "a stranger's");
    const before = await store.catalog.lastSeq();
    for (let time = 0; time < 2; time++) await pass(store, () => scrubber);
    expect(await newEvents(store, before)).toHaveLength(1);
    damage(stranger, { kind: "lose", through: "view", at: 0, much: 0 }, "");
    for (let time = 0; time < 2; time++) await pass(store, () => scrubber);
    writeFileSync(stranger, "a stranger's");
    await pass(store, () => scrubber);
    expect(await newEvents(store, before)).toHaveLength(2);
  });

  it("ends with a look at all counters, each wrong one told of once", async () => {
    await using store = await EngineStore.open();
    await filled(store, 3);
    const db = new DatabaseSync(join(store.root, ".tierkeep", "catalog.db"));
    db.exec("UPDATE workflow_held SET cold = 1; UPDATE total SET tenants = 0");
    db.close();
    const seq = await store.catalog.lastSeq();
    for (let time = 0; time < 2; time++) await pass(store, () => scrubberOf(store));
    expect(await newEvents(store, seq)).toMatchObject([
      { type: "SCAN_ERROR", actor: "system", tenantId: "acme", workflowId: "nightly", artifactId: null },
      { type: "SCAN_ERROR", actor: "system", tenantId: null, workflowId: null, artifactId: null },
    ]);
  });

  it("takes the mark off what somebody has brought back to where it was", async () => {
    await using store = await EngineStore.open();
    await filled(store, 3);
    const row = await store.row(keyOf("a1"));
    const flip = { kind: "flip", through: "object", at: 0, much: 0.2 } as const;
    damage(store.objectPath(row.object), flip, "");
    const scrubber = scrubberOf(store);
    await pass(store, () => scrubber);
    expect((await store.row(keyOf("a1"))).damagedAt).not.toBeNull();
    damage(store.objectPath(row.object), flip, "");
    const before = await store.catalog.lastSeq();
    await pass(store, () => scrubber);
    expect(await newEvents(store, before)).toMatchObject([{ type: "ARTIFACT_HEALED", artifactId: "a1" }]);
    const healed = await store.row(keyOf("a1"));
    expect(healed).toEqual({ ...row, version: healed.version });
  });

  it("meets every artifact once, wherever it begins and however often it is started anew", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 12 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.boolean(),
        async (count, start, restarts) => {
          await using store = await EngineStore.open();
          await filled(store, count);
          const scrubbers: Scrubber[] = [];
          const open = () => {
            // A day for a few artifacts: one at a time.
            const scrubber = scrubberOf(store, { random: () => start, days: 1 });
            scrubbers.push(scrubber);
            return scrubber;
          };
          const one = open();
          await pass(store, restarts ? open : () => one);
          const read = scrubbers.reduce((sum, { figures }) => sum + figures.artifacts, 0);
          expect(read).toBe(count);
        },
      ),
      { numRuns: 10 },
    );
  });
});

describe("the load of the scrubber", () => {
  it("is so many bytes a second at most, also within one long artifact", async () => {
    await using store = await EngineStore.open();
    await filled(store, 12, (index) => (index === 5 ? 20 * RATE : RATE / 2 + index));
    const started = store.now;
    const between: number[] = [];
    let read = 0;
    let last = 0;
    const scrubber = scrubberOf(store, {
      sleep: async (ms) => {
        store.now += Math.ceil(ms);
        between.push(read - last);
        last = read;
      },
      checker: watched(store, (bytes) => {
        read += bytes;
      }),
    });
    await pass(store, () => scrubber);
    expect(read).toBeGreaterThan(25 * RATE);
    expect(store.now - started).toBeGreaterThanOrEqual((read / RATE) * 1000);
    expect(Math.max(...between)).toBeLessThanOrEqual(5 * RATE);
  });

  it("is spread over as many days as a pass may take, and nothing is read before its time", async () => {
    await using store = await EngineStore.open();
    await filled(store, 60, () => 1000);
    const scrubber = scrubberOf(store, { days: 2 });
    const started = store.now;
    const { turns } = await pass(store, () => scrubber);
    // 48 minutes each.
    expect(turns).toBeGreaterThanOrEqual(60);
    expect((store.now - started) / 86_400_000).toBeGreaterThan(1.9);
    expect((store.now - started) / 86_400_000).toBeLessThan(2.1);
    const [before, { artifacts }] = [await store.catalog.scrubState(), scrubber.figures];
    store.now -= 10 * 86_400_000;
    // A clock that was set back: it goes on within the hour.
    expect(await scrubber.turn()).toBeLessThanOrEqual(3_600_000);
    expect([await store.catalog.scrubState(), scrubber.figures.artifacts]).toEqual([before, artifacts]);
  });
});

it("stops at once while it waits in the middle of an artifact, and goes on with that one", async () => {
  await using store = await EngineStore.open();
  await filled(store, 2, () => 6 * RATE);
  // Real time: a minute's pause after every slice.
  const { sleep: _sleep, ...parts } = partsOf(store);
  let read = 0;
  const checker = watched(store, (bytes) => {
    read += bytes;
  });
  const scrubber = new Scrubber({ ...parts, checker, bytesPerSecond: 64 * 1024, random: () => 0 });
  scrubber.start();
  await expect.poll(() => read, { timeout: 30_000 }).toBeGreaterThanOrEqual(4 * RATE);
  await scrubber.stop();
  expect(scrubber.figures).toMatchObject({ artifacts: 0, bytes: 0 });
  const next = scrubberOf(store);
  await pass(store, () => next);
  expect(next.figures).toMatchObject({ artifacts: 2, bytes: 12 * RATE, findings: 0 });
});
