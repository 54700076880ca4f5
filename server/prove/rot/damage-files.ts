import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { DamagedStore } from "../../testing/stores/damaged-store.ts";
import { type Damage, damageFile, replaceFile } from "../../testing/stores/file-damage.ts";
import type { SeededRandom } from "../seeded-random.ts";

const ARTIFACTS = 200;
const KINDS = ["flip", "flip", "flip", "cut", "grow", "zero", "lose", "swap"] as const;
const THROUGH = ["object", "object", "view"] as const;

/** What is harmed in a store. */
export interface FileDamage {
  /** What was done to each artifact whose bytes are not the ones that were written, by its name. */
  readonly damaged: ReadonlyMap<string, string>;
  /** Files put in that are no artifact's. */
  readonly strays: number;
}

const NAMES: readonly string[] = Array.from({ length: ARTIFACTS }, (_, index) => `a${index}`);

/** Of each artifact, by its name. No two are alike, and none has a zero byte, so that zeroing any of them is damage. */
export function randomContents(random: SeededRandom, names = NAMES): ReadonlyMap<string, Uint8Array> {
  return new Map(
    names.map((name) => [name, bytesOf(random, name === "a0" ? 0 : randomSize(random))] as const),
  );
}

/** On both sides of what rides in the catalog, of what is read whole before any of it goes out, and of a chunk. */
function randomSize(random: SeededRandom): number {
  const [inline, whole] = [64 * 1024, 1024 * 1024];
  const kind = random.between(1, 200);
  if (kind === 1) return whole + random.between(1, 900_000);
  if (kind === 2) return random.oneOf([inline, whole]) + random.between(-1, 1);
  if (kind <= 7) return inline + random.between(1, 60_000);
  return random.between(16, 3000);
}

function bytesOf(random: SeededRandom, sizeBytes: number): Uint8Array {
  const seed = String(random.between(0, 2 ** 31) * 2 ** 22 + random.between(0, 2 ** 22));
  const bytes = createHash("shake256", { outputLength: sizeBytes }).update(seed).digest();
  return bytes.map((byte) => byte | 1);
}

/** Harms the files of two artifacts in three. `andPutsIn`: copies of right bytes, and files that are nobody's. */
export async function damageFiles(
  world: DamagedStore,
  contents: ReadonlyMap<string, Uint8Array>,
  random: SeededRandom,
  andPutsIn: boolean,
): Promise<FileDamage> {
  const objects = new Map<string, string>();
  for (const name of world.names) objects.set(name, await world.object(name));
  const objectOf = (name: string) => objects.get(name) ?? "";
  const done = new Map<string, string[]>();
  const note = (name: string, what: string) => done.set(name, [...(done.get(name) ?? []), what]);
  let strays = 0;
  const addUnknown = (bytes: Uint8Array) => {
    const object = Buffer.from(bytesOf(random, 16)).toString("hex");
    const path = random.oneOf([world.store.objectPath(object), world.view(`stray-${object}`)]);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    strays += 1;
  };

  const harm = (name: string) => {
    const [kind, other] = [random.oneOf(KINDS), random.oneOf(world.names)];
    const [object, otherObject] = [objectOf(name), objectOf(other)];
    if (!existsSync(object) || (kind === "swap" && (other === name || !existsSync(otherObject)))) return;
    const isOneFile = kind !== "swap" && kind !== "lose" && isSameFile(world.view(name), object);
    const through = isOneFile ? random.oneOf(THROUGH) : "object";
    const how = { kind, at: fraction(random), much: fraction(random), other: otherObject };
    damageFile(through === "view" ? world.view(name) : object, how);
    note(name, kind === "swap" ? `swapped with ${other}` : DONE[kind]);
    if (kind === "swap") note(other, `swapped with ${name}`);
  };

  for (const [name, bytes] of contents) {
    if (random.between(1, 3) > 1) {
      const spare = andPutsIn ? random.oneOf(["none", "none", "quarantine", "stray"]) : "none";
      if (spare === "quarantine") writeFileSync(world.inQuarantine(`spare-${name}`), bytes);
      if (spare === "stray") addUnknown(bytes);
      harm(name);
    }
    // What stands in the tree is read by nobody. With it goes the last name of an object that was lost or swapped.
    const place = random.oneOf(["left", "left", "left", "gone", "replaced"]);
    if (place === "gone") rmSync(world.view(name), { force: true });
    if (place === "replaced") replaceFile(world.view(name));
    if (random.between(1, 10) === 1) replaceFile(`${world.view(name)}.metadata.json`);
  }
  for (let left = andPutsIn ? random.between(0, 20) : 0; left > 0; left--) addUnknown(bytesOf(random, 100));

  const isDamaged = (name: string) =>
    !existsSync(objectOf(name)) || !readFileSync(objectOf(name)).equals(contents.get(name) ?? Buffer.of());
  const damaged = new Map(
    world.names.filter(isDamaged).map((name) => [name, done.get(name)?.join(", then ") ?? ""]),
  );
  return { damaged, strays };
}

/** Gives a damaged artifact's object its bytes again, behind the store's back: in the file that is there, unless that is another's. */
export async function putBack(world: DamagedStore, name: string, bytes: Uint8Array): Promise<void> {
  const object = await world.object(name);
  if (!existsSync(object) || !isSameFile(world.view(name), object)) rmSync(object, { force: true });
  writeFileSync(object, bytes);
}

const DONE: Record<Exclude<Damage["kind"], "swap">, string> = {
  flip: "a bit flipped",
  cut: "cut",
  grow: "grown",
  zero: "zeroed in part",
  lose: "removed",
};

function isSameFile(path: string, other: string): boolean {
  return existsSync(path) && statSync(path).ino === statSync(other).ino;
}

/** Of 1, which it never is. */
function fraction(random: SeededRandom): number {
  return random.between(0, 2 ** 24 - 1) / 2 ** 24;
}
