import { createHash } from "node:crypto";
import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { ArtifactRow } from "../../src/catalog/rows.ts";
import { Scrubber } from "../../src/integrity/scrubber.ts";
import { DamagedStore } from "../../testing/stores/damaged-store.ts";
import { keyOf, type StoreDrivers, TEST_ADMIN } from "../../testing/stores/engine-store.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { damageFiles, type FileDamage, putBack, randomContents } from "./damage-files.ts";

/** Up to here nothing of a wrong body goes out, in bytes. */
const VERIFIED_FIRST = 1024 * 1024;
/** Artifacts that a sentence names. */
const NAMED = 5;

type Names = Pick<ReadonlySet<string>, "has" | "keys">;
type Rows = ReadonlyMap<string, ArtifactRow>;

/** A store that is harmed behind its back. What is done with it then resolves with what broke, as sentences. */
export class RottedStore implements AsyncDisposable {
  readonly #world: DamagedStore;
  readonly #contents: Map<string, Uint8Array>;
  #harm: FileDamage = { damaged: new Map(), strays: 0 };
  /** What no repair can bring back: damaged, and its right bytes in no file. */
  #lost: ReadonlySet<string> = new Set();
  /** As they were before the last harm. */
  #rows: Rows = new Map();
  /** The last event before it. */
  #seq = 0;

  private constructor(world: DamagedStore, contents: ReadonlyMap<string, Uint8Array>) {
    this.#world = world;
    this.#contents = new Map(contents);
  }

  /** `root`: the store's own folder, which goes with it. */
  static async open(root: string, drivers: StoreDrivers, random: SeededRandom): Promise<RottedStore> {
    const contents = randomContents(random);
    return new RottedStore(await DamagedStore.open(contents, root, drivers), contents);
  }

  /** Nothing may be damaged before it. `andPutsIn`: as `damageFiles` says. @returns what it did */
  async harm(random: SeededRandom, andPutsIn: boolean): Promise<FileDamage> {
    this.#rows = await rowsOf(this.#world);
    this.#seq = await this.#world.store.catalog.lastSeq();
    this.#harm = await damageFiles(this.#world, this.#contents, random, andPutsIn);
    return this.#harm;
  }

  /** Gives each damaged artifact other bytes. */
  async writeAnew(random: SeededRandom): Promise<void> {
    const contents = randomContents(random, [...this.#harm.damaged.keys()]);
    for (const [name, bytes] of contents) this.#contents.set(name, bytes);
    await this.#world.write(contents);
  }

  /** Somebody else puts the right bytes back, and the next pass takes the marks off. */
  async putBack(random: SeededRandom): Promise<readonly string[]> {
    const { damaged } = this.#harm;
    for (const name of damaged.keys())
      await putBack(this.#world, name, this.#contents.get(name) ?? Buffer.of());
    const broken = await this.scrub(random);
    await this.#world.drain();
    return [
      ...broken,
      ...this.#unlike("event of healing", damaged, await this.healed()),
      ...(await this.#changed(new Set(), damaged)),
    ];
  }

  /** Every artifact, each by two readers at once. `damaged`: those that have no right bytes now. */
  async read(damaged: Names = this.#harm.damaged): Promise<readonly string[]> {
    const { names } = this.#world;
    const twice = [...names, ...names];
    const wrong = await Promise.all(twice.map((name) => this.#readOne(name, damaged.has(name))));
    const byWhat = Map.groupBy(names.keys(), (index) => wrong[index] ?? wrong[index + names.length] ?? null);
    return [...byWhat].flatMap(([what, found]) =>
      what === null ? [] : [`${what}: ${this.#list(found.map((index) => String(names[index])))}.`],
    );
  }

  /** One pass of the scrubber, from a random artifact on. */
  async scrub(random: SeededRandom): Promise<readonly string[]> {
    const { store } = this.#world;
    const scrubber = new Scrubber({
      catalog: store.catalog,
      checker: store.engine.checker,
      clock: { now: () => store.now },
      days: 0,
      bytesPerSecond: 2 ** 30,
      onProblem: () => {},
      // Sleeping turns the store's clock.
      sleep: async (ms) => {
        store.now += Math.ceil(ms);
      },
      random: () => random.between(0, 999) / 1000,
    });
    const { pass } = await store.catalog.scrubState();
    while ((await store.catalog.scrubState()).pass === pass) store.now += Math.ceil(await scrubber.turn());
    const told = (await this.#world.events(this.#seq)).filter(({ error }) => /no artifact/.test(error ?? ""));
    return told.length === this.#harm.strays
      ? []
      : [`The pass told of ${told.length} strays; there are ${this.#harm.strays}.`];
  }

  /** Whether what is damaged has been told of once, and nothing else has changed. */
  async found(): Promise<readonly string[]> {
    const { damaged } = this.#harm;
    return [
      ...this.#unlike("event of damage", damaged, await this.damageReported()),
      ...(await this.#changed(damaged, new Set())),
    ];
  }

  /** A repair, and whether it brought back what has its bytes left, and lost nothing. */
  async repair(): Promise<readonly string[]> {
    const { damaged } = this.#harm;
    const before = this.#world.contents();
    const hasBytes = (name: string) => before.has(this.#rows.get(name)?.checksum ?? "");
    const repairable = new Set([...damaged.keys()].filter(hasBytes));
    this.#lost = new Set([...damaged.keys()].filter((name) => !hasBytes(name)));
    const { job } = await this.#world.repair();
    const after = this.#world.contents();
    const gone = [...before].filter((content) => !after.has(content)).length;
    const events = await this.#world.events(this.#seq);
    const counts: readonly (readonly [string, number, number])[] = [
      ["damaged", job.damagedCount + job.missingCount, damaged.size],
      ["healed", job.healedCount, repairable.size],
      ["quarantined", job.quarantinedCount, this.#harm.strays],
      ["adopted", job.adoptedCount, 0],
      [
        "quarantined on the log",
        events.filter(({ type }) => type === "STRAY_QUARANTINED").length,
        this.#harm.strays,
      ],
    ];
    return [
      ...this.#unlike("event of healing", repairable, await this.healed()),
      ...counts.flatMap(([what, got, wanted]) =>
        got === wanted ? [] : [`The repair counted ${got} as ${what}, and not ${wanted}.`],
      ),
      ...(gone === 0 ? [] : [`After the repair ${gone} contents are in no file that were in one before.`]),
      ...(await this.#changed(this.#lost, repairable)),
      ...(await this.read(this.#lost)),
      ...this.#unlike("event of damage", damaged, await this.damageReported()),
    ];
  }

  /** One more repair, which finds what it cannot mend and does nothing. */
  async repairAgain(): Promise<readonly string[]> {
    const [before, seq] = [this.#world.contents(), await this.#world.store.catalog.lastSeq()];
    const { findings } = await this.#world.repair();
    const told = await this.#world.eventsAfter(seq);
    // "KIND PATH", of an artifact's file or of its sidecar.
    const isLost = (finding: string) => this.#lost.has(basename(finding, ".metadata.json"));
    const more = [...findings.filter((finding) => !isLost(finding)), ...told];
    return [
      ...(more.length === 0 ? [] : [`A second repair found more: ${more.slice(0, NAMED).join("; ")}.`]),
      ...(isDeepStrictEqual(this.#world.contents(), before) ? [] : ["A second repair changed files."]),
    ];
  }

  /** The artifact of each event of damage. */
  async damageReported(): Promise<readonly string[]> {
    const events = await this.#world.events(this.#seq);
    return events.flatMap(({ errorCode, artifactId }) =>
      errorCode === "CHECKSUM_MISMATCH" ? [String(artifactId)] : [],
    );
  }

  /** The artifact of each event of healing. */
  async healed(): Promise<readonly string[]> {
    const events = await this.#world.events(this.#seq);
    return events.flatMap(({ type, artifactId }) => (type === "ARTIFACT_HEALED" ? [String(artifactId)] : []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#world[Symbol.asyncDispose]();
  }

  /** What is wrong with a read of it; null: nothing. */
  async #readOne(name: string, isDamaged: boolean): Promise<string | null> {
    const row = this.#rows.get(name);
    const wanted = row?.sizeBytes ?? 0;
    const hash = createHash("sha256");
    let given = 0;
    let refusal: unknown = null;
    try {
      const content = await this.#world.store.engine.artifacts.open(TEST_ADMIN, keyOf(name));
      if (content === null) return "There is no artifact any more";
      for await (const chunk of content.body) {
        hash.update(chunk);
        given += chunk.byteLength;
      }
    } catch (error) {
      refusal = error;
    }
    if (refusal === null) {
      if (hash.digest("hex") !== row?.checksum)
        return "A read gave bytes that are not the ones that were written";
      return isDamaged ? "A read gave bytes that its file does not have" : null;
    }
    const isMismatch = refusal instanceof Refused && refusal.code === "CHECKSUM_MISMATCH";
    if (!isMismatch) return `A read failed (${refusal})`;
    if (!isDamaged) return "A read of what has its bytes was refused";
    const most = wanted > VERIFIED_FIRST ? wanted - 1 : 0;
    return given <= most ? null : "A read gave bytes out before it was refused";
  }

  /** Rows that are not as they were before, but for the mark of those in `damaged`, and for objects and versions of those in `healed`. */
  async #changed(damaged: Names, healed: Names): Promise<readonly string[]> {
    const rows = await rowsOf(this.#world);
    const isSame = (name: string) => {
      const [was, is] = [this.#rows.get(name), rows.get(name)];
      if (was === undefined || is === undefined || (is.damagedAt !== null) !== damaged.has(name))
        return false;
      const { object, version } = healed.has(name) ? is : was;
      return isDeepStrictEqual({ ...is, damagedAt: null }, { ...was, object, version });
    };
    const changed = this.#world.names.filter((name) => !isSame(name));
    return changed.length === 0 ? [] : [`The catalog's row is not as it must be: ${this.#list(changed)}.`];
  }

  /** What is wrong with `got`, which must be each of `wanted`, once. */
  #unlike(what: string, wanted: Names, got: readonly string[]): readonly string[] {
    const seen = new Set(got);
    const missing = [...wanted.keys()].filter((name) => !seen.has(name));
    const other = [...seen].filter((name) => !wanted.has(name));
    const again = [...seen].filter((name) => got.indexOf(name) !== got.lastIndexOf(name));
    return [
      ...(missing.length === 0 ? [] : [`There is no ${what} of ${this.#list(missing)}.`]),
      ...(other.length === 0 ? [] : [`There is an ${what} of ${this.#list(other)}.`]),
      ...(again.length === 0 ? [] : [`There is more than one ${what} of ${this.#list(again)}.`]),
    ];
  }

  #list(names: readonly string[]): string {
    const shown = names.slice(0, NAMED).map((name) => this.#told(name));
    const more = names.length - shown.length;
    return `${shown.join(", ")}${more === 0 ? "" : `, and ${more} more`}`;
  }

  #told(name: string): string {
    return `${name} (${this.#harm.damaged.get(name) ?? "not damaged"})`;
  }
}

async function rowsOf({ store, names }: DamagedStore): Promise<Rows> {
  return new Map(await Promise.all(names.map(async (name) => [name, await store.row(keyOf(name))] as const)));
}
