import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { Refused } from "@tierkeep/schema/domain/refusals";
import fc from "fast-check";
import { expect, it, onTestFailed } from "vitest";
import { whole } from "../../catalog/contract/sample-changes.ts";
import { keyOf, OpenedStore, SOMEBODY } from "../opened-store.ts";
import { type Damage, damage, replaceFile } from "./rot.ts";

const DAMAGES = 10_000;
/** Artifacts of one store, of which each third goes on unharmed. */
const ARTIFACTS = 600;
const DAMAGED_AT_ONCE = 400;

/** Up to here nothing of a wrong body goes out, in bytes. */
const VERIFIED_FIRST = 1024 * 1024;

const damages: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constantFrom("flip", "flip", "flip", "cut", "grow", "zero", "lose", "swap"),
  through: fc.constantFrom("object", "object", "view"),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  much: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});

/** On both sides of what rides in the catalog, of what is read whole, and of a chunk. */
function sizeOf(index: number): number {
  if (index % 200 === 7) return VERIFIED_FIRST + 1 + (index % 3) * 300_000;
  if (index % 50 === 3) return 65_537 + index * 100;
  return index % 31 === 0 ? 0 : (index * 37) % 3000;
}

/** Random, and without a zero byte, so that zeroing any of it is damage. */
function contentOf(sizeBytes: number): Buffer {
  return randomBytes(sizeBytes).map((byte) => byte | 1) as Buffer;
}

/** How many bytes came, and what ended them. */
async function read(store: OpenedStore, artifactId: string) {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  try {
    const content = await store.engine.artifacts.open(SOMEBODY, keyOf(artifactId));
    if (content === null) throw new Error(`${artifactId} is not there`);
    for await (const chunk of content.body) {
      hash.update(chunk);
      sizeBytes += chunk.byteLength;
    }
    return { sizeBytes, checksum: hash.digest("hex"), refused: null };
  } catch (error) {
    return { sizeBytes, checksum: null, refused: error instanceof Refused ? error.code : error };
  }
}

it(`${DAMAGES} damaged objects are each found by the next read, with one event, and hurt nothing else`, async () => {
  const seed = Number(process.env.ROT_SEED ?? Math.floor(Math.random() * 2 ** 31));
  onTestFailed(() => console.error(`repeat this with ROT_SEED=${seed}`));
  await using store = await OpenedStore.open();
  const names = Array.from({ length: ARTIFACTS }, (_, index) => `a${index}`);
  const planned = fc.sample(damages, { numRuns: DAMAGES, seed });
  let stale = names;
  let found = 0;
  for (let begun = 0; begun < DAMAGES; begun += DAMAGED_AT_ONCE) {
    // Rot is found once an object: each is damaged once, and its artifact then written anew.
    await Promise.all(stale.map((name) => store.write(keyOf(name), contentOf(sizeOf(names.indexOf(name))))));
    expect(await store.engine.drain()).toBe(true);
    const rows = new Map(
      await Promise.all(names.map(async (name) => [name, await store.row(keyOf(name))] as const)),
    );
    const viewOf = (name: string) => join(store.root, "hot", "acme", "nightly", name);
    const objectOf = (name: string) => store.objectPath(rows.get(name)?.object ?? "");
    const harmed = new Set<string>();
    // From another place each time, so that each name has its turns.
    const order = names.map((_, index) => names[(index * 7 + begun) % ARTIFACTS] as string);
    for (const [index, one] of planned.slice(begun, begun + DAMAGED_AT_ONCE).entries()) {
      const name = order[index] as string;
      const other = order[index + 1] as string;
      // Swapped with the one before it.
      if (harmed.has(name)) continue;
      const throughView = one.through === "view" && one.kind !== "lose" && one.kind !== "swap";
      damage(throughView ? viewOf(name) : objectOf(name), one, objectOf(other));
      harmed.add(name);
      if (one.kind === "swap") harmed.add(other);
    }
    // What stands in the view is read by nobody.
    const unharmed = order.filter((name) => !harmed.has(name));
    for (const name of unharmed.slice(0, 20)) replaceFile(`${viewOf(name)}.metadata.json`);
    for (const name of unharmed.slice(10, 30)) replaceFile(viewOf(name));

    const seqBefore = await store.catalog.lastSeq();
    for (const name of names) {
      const row = rows.get(name);
      const { sizeBytes, checksum, refused } = await read(store, name);
      if (!harmed.has(name)) expect([name, refused, checksum]).toEqual([name, null, row?.checksum]);
      else {
        expect([name, refused]).toEqual([name, "CHECKSUM_MISMATCH"]);
        const most = (row?.sizeBytes ?? 0) > VERIFIED_FIRST ? (row?.sizeBytes ?? 0) - 1 : 0;
        expect(sizeBytes).toBeLessThanOrEqual(most);
      }
    }
    for (const name of [...harmed].slice(0, 50)) await read(store, name);
    const events = await store.catalog.listEvents({}, "ASC", { ...whole(), after: seqBefore });
    expect(events.map(({ type, errorCode }) => `${type} ${errorCode}`)).toEqual(
      events.map(() => "SCAN_ERROR CHECKSUM_MISMATCH"),
    );
    expect(events.map(({ artifactId }) => artifactId).sort()).toEqual([...harmed].sort());
    for (const name of names) {
      const damagedAt = harmed.has(name) ? store.now : null;
      expect(await store.row(keyOf(name))).toEqual({ ...rows.get(name), damagedAt });
    }
    found += harmed.size;
    stale = [...harmed, ...unharmed.slice(0, 30)];
  }
  expect(found).toBeGreaterThanOrEqual(DAMAGES);
}, 600_000);
