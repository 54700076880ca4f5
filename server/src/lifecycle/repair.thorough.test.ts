import { randomBytes } from "node:crypto";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import fc from "fast-check";
import { expect, it, onTestFailed } from "vitest";
import type { Damage } from "../engine/faults/rot.ts";
import { keyOf } from "../engine/opened-store.ts";
import { Scrubber } from "../engine/scrubber.ts";
import { DamagedStore } from "./damaged-store.ts";

const ARTIFACTS = 400;
/** Every second one: what is swapped takes its neighbour with it. */
const HARMS = ARTIFACTS / 2;
const STRAYS = 40;

/** How an artifact is harmed, and whether its right bytes are somewhere else. */
interface Harm {
  readonly kind: Damage["kind"];
  readonly spare: boolean;
}

const harms: fc.Arbitrary<Harm> = fc.record({
  kind: fc.constantFrom("flip", "cut", "grow", "zero", "lose", "swap"),
  spare: fc.boolean(),
});

/** On both sides of what rides in the catalog, and of what is read whole; no zero byte, so that zeroing any is damage. */
function contentOf(index: number): Buffer {
  const sizeBytes = index % 97 === 5 ? 1_100_000 : index % 20 === 3 ? 65_537 + index : 20 + index * 13;
  return randomBytes(sizeBytes).map((byte) => byte | 1) as Buffer;
}

/** Sleeping turns the store's clock. */
async function scrubOnce({ store }: DamagedStore): Promise<void> {
  const scrubber = new Scrubber({
    catalog: store.catalog,
    checker: store.engine.checker,
    clock: { now: () => store.now },
    days: 0,
    bytesPerSecond: 2 ** 30,
    onProblem: () => {},
    sleep: async (ms) => {
      store.now += Math.ceil(ms);
    },
  });
  const { pass } = await store.catalog.scrubState();
  while ((await store.catalog.scrubState()).pass === pass) store.now += Math.ceil(await scrubber.turn());
}

it(`of ${ARTIFACTS} artifacts, ${HARMS} harmed at random and ${STRAYS} strays, a pass finds each once, and a repair mends all that can be`, async () => {
  const seed = Number(process.env.ROT_SEED ?? Math.floor(Math.random() * 2 ** 31));
  onTestFailed(() => console.error(`repeat this with ROT_SEED=${seed}`));
  const contents = new Map(Array.from({ length: ARTIFACTS }, (_, index) => [`a${index}`, contentOf(index)]));
  await using world = await DamagedStore.open(contents);
  const { store, names } = world;
  const harmed = new Set<string>();
  const lost = new Set<string>();
  for (const [nth, { kind, spare }] of fc.sample(harms, { numRuns: HARMS, seed }).entries()) {
    const [name, neighbour] = [names[nth * 2] as string, names[nth * 2 + 1] as string];
    const viewOnly = kind === "lose";
    // Of what is lost, the place in the tree is the spare; of all else, that is the same damaged file.
    if (viewOnly && !spare) rmSync(world.view(name));
    if (!viewOnly && spare) copyFileSync(world.view(name), world.inQuarantine(`spare-${nth}`));
    // With its place in the tree, a damaged object is not the last name of its bytes; without, it is.
    if (!viewOnly && nth % 3 === 0) {
      rmSync(world.view(name));
      if (kind === "swap") rmSync(world.view(neighbour));
    }
    await world.harm(name, kind, neighbour);
    harmed.add(name);
    if (kind === "swap") harmed.add(neighbour);
    else if (!spare) lost.add(name);
  }
  for (let nth = 0; nth < STRAYS; nth++) {
    const object = randomBytes(16).toString("hex");
    const path = nth % 2 === 0 ? store.objectPath(object) : world.view(`stray-${nth}`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, randomBytes(100));
  }

  const before = await store.catalog.lastSeq();
  await scrubOnce(world);
  const errors = (seq: number) => store.catalog.listEvents({ types: ["SCAN_ERROR"] }, "ASC", all(seq));
  const found = await errors(before);
  const damaged = found.filter(({ errorCode }) => errorCode === "CHECKSUM_MISMATCH");
  expect(damaged.map(({ artifactId }) => artifactId).sort()).toEqual([...harmed].sort());
  const strays = found.filter(({ error }) =>
    /is the bytes of no artifact|is no artifact's/.test(error ?? ""),
  );
  expect(strays).toHaveLength(STRAYS);

  const [bytes, told] = [world.contents(), await store.catalog.lastSeq()];
  const { job } = await world.repair();
  expect(job).toMatchObject({
    healedCount: harmed.size - lost.size,
    quarantinedCount: STRAYS,
    adoptedCount: 0,
  });
  expect(job.damagedCount + job.missingCount).toBe(harmed.size);
  expect(await errors(told)).toEqual([]);
  const after = world.contents();
  expect([...bytes].filter((each) => !after.has(each))).toEqual([]);
  for (const [name, content] of contents) {
    expect([name, (await store.row(keyOf(name))).damagedAt !== null]).toEqual([name, lost.has(name)]);
    if (lost.has(name)) await expect(world.read(name)).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
    else expect((await world.read(name)).equals(content)).toBe(true);
  }

  const settled = await store.catalog.lastSeq();
  expect((await world.repair()).job).toMatchObject({ healedCount: 0, quarantinedCount: 0, adoptedCount: 0 });
  expect(await world.eventsAfter(settled)).toEqual([]);
  expect(world.contents()).toEqual(after);
}, 600_000);

function all(after: number) {
  return { after, before: null, limit: 100_000, backward: false } as const;
}
