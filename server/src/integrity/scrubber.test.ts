import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { whole } from "../../testing/catalog/sample-changes.ts";
import { EngineStore, keyOf } from "../../testing/stores/engine-store.ts";
import { type Damage, damageFile, replaceFile } from "../../testing/stores/file-damage.ts";
import type { ArtifactRow } from "../catalog/rows.ts";
import type { Checker } from "./checker.ts";
import { Scrubber, type ScrubberParts } from "./scrubber.ts";

const RATE = 1024 * 1024;

/** Sleeping advances the store's clock. */
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

/** Returns the store's checker. Calls `onBytes` with the size of each chunk it reads. */
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

/**
 * Scrubs until a pass ends; `next` returns the scrubber for each turn. Returns the number of turns and the ms
 * waited between them.
 */
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
  it("finds damage of every kind, unknown files and view differences, with one event each, and changes nothing else", async () => {
    await using store = await EngineStore.open();
    const names = await filled(store, 30);
    const rows = new Map<string, ArtifactRow>();
    for (const name of names) rows.set(name, await store.row(keyOf(name)));
    const objectOf = (name: string) => store.objectPath(rows.get(name)?.object ?? "");
    for (const [index, kind] of KINDS.entries())
      damageFile(objectOf(`a${index}`), { kind, other: objectOf("a9") });
    const damagedNames = ["a0", "a1", "a2", "a3", "a4", "a5", "a9"];
    replaceFile(join(store.root, "hot", "acme", "nightly", "a20"));
    const unknown = "f".repeat(32);
    mkdirSync(join(store.objectPath(unknown), ".."), { recursive: true });
    writeFileSync(store.objectPath(unknown), "unknown object");
    writeFileSync(join(store.root, "warm", "misplaced"), "a path that no artifact has");
    mkdirSync(join(store.root, "warm", "acme", "nightly"), { recursive: true });
    writeFileSync(join(store.root, "warm", "acme", "nightly", "unknown"), "foreign file");

    const before = await store.catalog.lastSeq();
    const scrubber = scrubberOf(store, { random: () => 0.5 });
    await pass(store, () => scrubber);
    const events = await newEvents(store, before);
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(["SCAN_ERROR"]));
    const damaged = events.filter(({ errorCode }) => errorCode === "CHECKSUM_MISMATCH");
    expect(damaged.map(({ artifactId }) => artifactId).sort()).toEqual(damagedNames);
    const others = events.filter(({ errorCode }) => errorCode === null).map(({ error }) => error ?? "");
    // The view of a missing or swapped object differs too.
    expect(others.filter((error) => error.includes("a20 is not this artifact's file"))).toHaveLength(1);
    expect(others.filter((error) => error.includes(unknown))).toHaveLength(1);
    expect(others.filter((error) => error.includes("nightly/unknown belongs to no artifact"))).toHaveLength(
      1,
    );
    for (const name of names) {
      const { damagedAt, ...rest } = await store.row(keyOf(name));
      expect([name, damagedAt !== null]).toEqual([name, damagedNames.includes(name)]);
      expect({ ...rest, damagedAt: null }).toEqual(rows.get(name));
    }
    expect(scrubber.figures).toMatchObject({ artifacts: 30, findings: events.length });

    const after = await store.catalog.lastSeq();
    await pass(store, () => scrubber);
    expect(await newEvents(store, after)).toEqual([]);
  });

  it("reports a finding again that returns after a complete pass without it", async () => {
    await using store = await EngineStore.open();
    await filled(store, 3);
    const foreign = join(store.root, "hot", "acme", "nightly", "unknown");
    const scrubber = scrubberOf(store);
    writeFileSync(foreign, "foreign file");
    const before = await store.catalog.lastSeq();
    for (let time = 0; time < 2; time++) await pass(store, () => scrubber);
    expect(await newEvents(store, before)).toHaveLength(1);
    damageFile(foreign, { kind: "lose" });
    for (let time = 0; time < 2; time++) await pass(store, () => scrubber);
    writeFileSync(foreign, "foreign file");
    await pass(store, () => scrubber);
    expect(await newEvents(store, before)).toHaveLength(2);
  });

  it("compares all usage counters at its end and reports each wrong one once", async () => {
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

  it("clears the damage mark of an object that was restored outside Tierkeep", async () => {
    await using store = await EngineStore.open();
    await filled(store, 3);
    const row = await store.row(keyOf("a1"));
    const flip = { kind: "flip", at: 0, much: 0.2 } as const;
    damageFile(store.objectPath(row.object), flip);
    const scrubber = scrubberOf(store);
    await pass(store, () => scrubber);
    expect((await store.row(keyOf("a1"))).damagedAt).not.toBeNull();
    damageFile(store.objectPath(row.object), flip);
    const before = await store.catalog.lastSeq();
    await pass(store, () => scrubber);
    expect(await newEvents(store, before)).toMatchObject([{ type: "ARTIFACT_HEALED", artifactId: "a1" }]);
    const recovered = await store.row(keyOf("a1"));
    expect(recovered).toEqual({ ...row, version: recovered.version });
  });

  it("checks every artifact once, from any start and after any number of restarts", async () => {
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
            // One day for a few artifacts means one artifact per turn.
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
  it("stays below the byte rate, also within one large artifact", async () => {
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

  it("is spread over the days of a pass, without reading ahead", async () => {
    await using store = await EngineStore.open();
    await filled(store, 60, () => 1000);
    const scrubber = scrubberOf(store, { days: 2 });
    const started = store.now;
    const { turns } = await pass(store, () => scrubber);
    // One turn every 48 minutes.
    expect(turns).toBeGreaterThanOrEqual(60);
    expect((store.now - started) / 86_400_000).toBeGreaterThan(1.9);
    expect((store.now - started) / 86_400_000).toBeLessThan(2.1);
    const [before, { artifacts }] = [await store.catalog.scrubState(), scrubber.figures];
    store.now -= 10 * 86_400_000;
    // After the clock was set back, scrubbing continues within an hour.
    expect(await scrubber.turn()).toBeLessThanOrEqual(3_600_000);
    expect([await store.catalog.scrubState(), scrubber.figures.artifacts]).toEqual([before, artifacts]);
  });
});

it("the scrubber stops immediately while it pauses inside an artifact, and continues with that artifact", async () => {
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
