import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { DamagedStore } from "../../testing/stores/damaged-store.ts";
import { type Damage, damageFile, replaceFile } from "../../testing/stores/file-damage.ts";
import type { SeededRandom } from "../seeded-random.ts";

const ARTIFACTS = 200;
const KINDS = ["flip", "flip", "flip", "cut", "grow", "zero", "lose", "swap"] as const;
const THROUGH = ["object", "object", "view"] as const;

/** The damage to a store. */
export interface FileDamage {
  /** How each artifact was damaged whose stored bytes differ from the written ones, by its name. */
  readonly damaged: ReadonlyMap<string, string>;
  /** The number of added files that belong to no artifact. */
  readonly unknown: number;
}

const NAMES: readonly string[] = Array.from({ length: ARTIFACTS }, (_, index) => `a${index}`);

/**
 * Returns random contents by artifact name. All differ, and none has a zero byte, so that zeroing always
 * damages.
 */
export function randomContents(random: SeededRandom, names = NAMES): ReadonlyMap<string, Uint8Array> {
  return new Map(
    names.map((name) => [name, bytesOf(random, name === "a0" ? 0 : randomSize(random))] as const),
  );
}

/** Sizes on both sides of three limits: inline content, content that is verified before the response starts, and a chunk. */
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

/**
 * Damages the files of two artifacts in three.
 *
 * @param addsFiles also adds copies of right bytes, and files that belong to no artifact
 */
export async function damageFiles(
  store: DamagedStore,
  contents: ReadonlyMap<string, Uint8Array>,
  random: SeededRandom,
  addsFiles: boolean,
): Promise<FileDamage> {
  const objects = new Map<string, string>();
  for (const name of store.names) objects.set(name, await store.object(name));
  const objectOf = (name: string) => objects.get(name) ?? "";
  const done = new Map<string, string[]>();
  const record = (name: string, what: string) => done.set(name, [...(done.get(name) ?? []), what]);
  let unknown = 0;
  const addUnknown = (bytes: Uint8Array) => {
    const object = Buffer.from(bytesOf(random, 16)).toString("hex");
    const path = random.oneOf([store.store.objectPath(object), store.view(`stray-${object}`)]);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    unknown += 1;
  };

  const damageOne = (name: string) => {
    const [kind, other] = [random.oneOf(KINDS), random.oneOf(store.names)];
    const [object, otherObject] = [objectOf(name), objectOf(other)];
    if (!existsSync(object) || (kind === "swap" && (other === name || !existsSync(otherObject)))) return;
    const isOneFile = kind !== "swap" && kind !== "lose" && isSameFile(store.view(name), object);
    const through = isOneFile ? random.oneOf(THROUGH) : "object";
    const how = { kind, at: fraction(random), much: fraction(random), other: otherObject };
    damageFile(through === "view" ? store.view(name) : object, how);
    record(name, kind === "swap" ? `swapped with ${other}` : DONE[kind]);
    if (kind === "swap") record(other, `swapped with ${name}`);
  };

  for (const [name, bytes] of contents) {
    if (random.between(1, 3) > 1) {
      const spare = addsFiles ? random.oneOf(["none", "none", "quarantine", "stray"]) : "none";
      if (spare === "quarantine") writeFileSync(store.inQuarantine(`spare-${name}`), bytes);
      if (spare === "stray") addUnknown(bytes);
      damageOne(name);
    }
    // Published files are never read. Removing one may remove the last link of an object that was lost or swapped.
    const published = random.oneOf(["left", "left", "left", "gone", "replaced"]);
    if (published === "gone") rmSync(store.view(name), { force: true });
    if (published === "replaced") replaceFile(store.view(name));
    if (random.between(1, 10) === 1) replaceFile(`${store.view(name)}.metadata.json`);
  }
  for (let left = addsFiles ? random.between(0, 20) : 0; left > 0; left--) addUnknown(bytesOf(random, 100));

  const isDamaged = (name: string) =>
    !existsSync(objectOf(name)) || !readFileSync(objectOf(name)).equals(contents.get(name) ?? Buffer.of());
  const damaged = new Map(
    store.names.filter(isDamaged).map((name) => [name, done.get(name)?.join(", then ") ?? ""]),
  );
  return { damaged, unknown };
}

/** Restores the bytes of a damaged object outside the store's control: in its file, unless that is another artifact's. */
export async function putBack(store: DamagedStore, name: string, bytes: Uint8Array): Promise<void> {
  const object = await store.object(name);
  if (!existsSync(object) || !isSameFile(store.view(name), object)) rmSync(object, { force: true });
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

/** Returns a random number from 0 up to, but excluding, 1. */
function fraction(random: SeededRandom): number {
  return random.between(0, 2 ** 24 - 1) / 2 ** 24;
}
