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

/** Contents of up to this many bytes are verified before the response starts. */
const VERIFIED_FIRST = 1024 * 1024;
/** The number of artifacts that a sentence names. */
const NAMED = 5;

type Names = Pick<ReadonlySet<string>, "has" | "keys">;
type Rows = ReadonlyMap<string, ArtifactRow>;

/** A store whose files are damaged outside its control. Its checks resolve with a sentence for each violation. */
export class RottedStore implements AsyncDisposable {
  readonly #world: DamagedStore;
  readonly #contents: Map<string, Uint8Array>;
  #damage: FileDamage = { damaged: new Map(), unknown: 0 };
  /** Damaged artifacts that no repair can recover, because no file has their bytes. */
  #lost: ReadonlySet<string> = new Set();
  /** The catalog's rows before the last damage. */
  #rows: Rows = new Map();
  /** The last event before that. */
  #seq = 0;

  private constructor(world: DamagedStore, contents: ReadonlyMap<string, Uint8Array>) {
    this.#world = world;
    this.#contents = new Map(contents);
  }

  /** @param root the store's folder, which is removed with it */
  static async open(root: string, drivers: StoreDrivers, random: SeededRandom): Promise<RottedStore> {
    const contents = randomContents(random);
    return new RottedStore(await DamagedStore.open(contents, root, drivers), contents);
  }

  /** Damages files, as `damageFiles` does. The store must be intact before. @returns the damage */
  async damage(random: SeededRandom, addsFiles: boolean): Promise<FileDamage> {
    this.#rows = await rowsOf(this.#world);
    this.#seq = await this.#world.store.catalog.lastSeq();
    this.#damage = await damageFiles(this.#world, this.#contents, random, addsFiles);
    return this.#damage;
  }

  /** Overwrites each damaged artifact with new content. */
  async overwrite(random: SeededRandom): Promise<void> {
    const contents = randomContents(random, [...this.#damage.damaged.keys()]);
    for (const [name, bytes] of contents) this.#contents.set(name, bytes);
    await this.#world.write(contents);
  }

  /** Restores the right bytes outside the store's control. The scrubber's next pass must clear the damage marks. */
  async putBack(random: SeededRandom): Promise<readonly string[]> {
    const { damaged } = this.#damage;
    for (const name of damaged.keys())
      await putBack(this.#world, name, this.#contents.get(name) ?? Buffer.of());
    const broken = await this.scrub(random);
    await this.#world.drain();
    return [
      ...broken,
      ...this.#differences("recovery event", damaged, await this.recovered()),
      ...(await this.#changed(new Set(), damaged)),
    ];
  }

  /** Reads every artifact with two concurrent readers. `damaged`: the artifacts whose reads must be refused. */
  async read(damaged: Names = this.#damage.damaged): Promise<readonly string[]> {
    const { names } = this.#world;
    const twice = [...names, ...names];
    const wrong = await Promise.all(twice.map((name) => this.#readOne(name, damaged.has(name))));
    const byWhat = Map.groupBy(names.keys(), (index) => wrong[index] ?? wrong[index + names.length] ?? null);
    return [...byWhat].flatMap(([what, found]) =>
      what === null ? [] : [`${what}: ${this.#list(found.map((index) => String(names[index])))}.`],
    );
  }

  /** Runs one pass of the scrubber, from a random artifact on. */
  async scrub(random: SeededRandom): Promise<readonly string[]> {
    const { store } = this.#world;
    const scrubber = new Scrubber({
      catalog: store.catalog,
      checker: store.engine.checker,
      clock: { now: () => store.now },
      days: 0,
      bytesPerSecond: 2 ** 30,
      onProblem: () => {},
      // Sleeping advances the store's clock.
      sleep: async (ms) => {
        store.now += Math.ceil(ms);
      },
      random: () => random.between(0, 999) / 1000,
    });
    const { pass } = await store.catalog.scrubState();
    while ((await store.catalog.scrubState()).pass === pass) store.now += Math.ceil(await scrubber.turn());
    const reported = (await this.#world.events(this.#seq)).filter(({ error }) =>
      /no artifact/.test(error ?? ""),
    );
    return reported.length === this.#damage.unknown
      ? []
      : [`The pass reported ${reported.length} unknown objects instead of ${this.#damage.unknown}.`];
  }

  /** Checks that each damaged artifact was reported once, and that nothing else changed. */
  async found(): Promise<readonly string[]> {
    const { damaged } = this.#damage;
    return [
      ...this.#differences("damage event", damaged, await this.damageReported()),
      ...(await this.#changed(damaged, new Set())),
    ];
  }

  /** Runs a repair, and checks that it recovered every artifact whose bytes exist, and lost nothing. */
  async repair(): Promise<readonly string[]> {
    const { damaged } = this.#damage;
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
      ["recovered", job.healedCount, repairable.size],
      ["quarantined", job.quarantinedCount, this.#damage.unknown],
      ["adopted", job.adoptedCount, 0],
      [
        "quarantined on the log",
        events.filter(({ type }) => type === "STRAY_QUARANTINED").length,
        this.#damage.unknown,
      ],
    ];
    return [
      ...this.#differences("recovery event", repairable, await this.recovered()),
      ...counts.flatMap(([what, got, wanted]) =>
        got === wanted ? [] : [`The repair counted ${got} as ${what} instead of ${wanted}.`],
      ),
      ...(gone === 0 ? [] : [`The repair lost ${gone} contents that were in a file before.`]),
      ...(await this.#changed(this.#lost, repairable)),
      ...(await this.read(this.#lost)),
      ...this.#differences("damage event", damaged, await this.damageReported()),
    ];
  }

  /** Runs a second repair, which must find only what is unrecoverable, and change nothing. */
  async repairAgain(): Promise<readonly string[]> {
    const [before, seq] = [this.#world.contents(), await this.#world.store.catalog.lastSeq()];
    const { findings } = await this.#world.repair();
    const events = await this.#world.eventsAfter(seq);
    // A finding is "KIND PATH"; the path is that of an artifact's file or of its sidecar.
    const isLost = (finding: string) => this.#lost.has(basename(finding, ".metadata.json"));
    const more = [...findings.filter((finding) => !isLost(finding)), ...events];
    return [
      ...(more.length === 0 ? [] : [`A second repair found more: ${more.slice(0, NAMED).join("; ")}.`]),
      ...(isDeepStrictEqual(this.#world.contents(), before) ? [] : ["A second repair changed files."]),
    ];
  }

  /** Returns the artifact of each damage event. */
  async damageReported(): Promise<readonly string[]> {
    const events = await this.#world.events(this.#seq);
    return events.flatMap(({ errorCode, artifactId }) =>
      errorCode === "CHECKSUM_MISMATCH" ? [String(artifactId)] : [],
    );
  }

  /** Returns the artifact of each recovery event. */
  async recovered(): Promise<readonly string[]> {
    const events = await this.#world.events(this.#seq);
    return events.flatMap(({ type, artifactId }) => (type === "ARTIFACT_HEALED" ? [String(artifactId)] : []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#world[Symbol.asyncDispose]();
  }

  /** Returns the problem of a read as a sentence, or null. */
  async #readOne(name: string, isDamaged: boolean): Promise<string | null> {
    const row = this.#rows.get(name);
    const wanted = row?.sizeBytes ?? 0;
    const hash = createHash("sha256");
    let given = 0;
    let refusal: unknown = null;
    try {
      const content = await this.#world.store.engine.artifacts.open(TEST_ADMIN, keyOf(name));
      if (content === null) return "An artifact is missing";
      for await (const chunk of content.body) {
        hash.update(chunk);
        given += chunk.byteLength;
      }
    } catch (error) {
      refusal = error;
    }
    if (refusal === null) {
      if (hash.digest("hex") !== row?.checksum) return "A read returned bytes that were never written";
      return isDamaged ? "A read returned bytes that its file does not have" : null;
    }
    const isMismatch = refusal instanceof Refused && refusal.code === "CHECKSUM_MISMATCH";
    if (!isMismatch) return `A read failed (${refusal})`;
    if (!isDamaged) return "A read of an intact artifact was refused";
    const most = wanted > VERIFIED_FIRST ? wanted - 1 : 0;
    return given <= most ? null : "A read returned too many bytes before it was refused";
  }

  /**
   * Returns the rows that changed, except for the mark of `damaged` artifacts, and for the object and version
   * of `recovered` ones.
   */
  async #changed(damaged: Names, recovered: Names): Promise<readonly string[]> {
    const rows = await rowsOf(this.#world);
    const isSame = (name: string) => {
      const [was, is] = [this.#rows.get(name), rows.get(name)];
      if (was === undefined || is === undefined || (is.damagedAt !== null) !== damaged.has(name))
        return false;
      const { object, version } = recovered.has(name) ? is : was;
      return isDeepStrictEqual({ ...is, damagedAt: null }, { ...was, object, version });
    };
    const changed = this.#world.names.filter((name) => !isSame(name));
    return changed.length === 0 ? [] : [`Unexpected change of the catalog's row: ${this.#list(changed)}.`];
  }

  /** Checks that `got` has each of `wanted` exactly once. */
  #differences(what: string, wanted: Names, got: readonly string[]): readonly string[] {
    const seen = new Set(got);
    const missing = [...wanted.keys()].filter((name) => !seen.has(name));
    const other = [...seen].filter((name) => !wanted.has(name));
    const again = [...seen].filter((name) => got.indexOf(name) !== got.lastIndexOf(name));
    return [
      ...(missing.length === 0 ? [] : [`No ${what} for ${this.#list(missing)}.`]),
      ...(other.length === 0 ? [] : [`Unexpected ${what} for ${this.#list(other)}.`]),
      ...(again.length === 0 ? [] : [`More than one ${what} for ${this.#list(again)}.`]),
    ];
  }

  #list(names: readonly string[]): string {
    const shown = names.slice(0, NAMED).map((name) => this.#describe(name));
    const more = names.length - shown.length;
    return `${shown.join(", ")}${more === 0 ? "" : `, and ${more} more`}`;
  }

  #describe(name: string): string {
    return `${name} (${this.#damage.damaged.get(name) ?? "not damaged"})`;
  }
}

async function rowsOf({ store, names }: DamagedStore): Promise<Rows> {
  return new Map(await Promise.all(names.map(async (name) => [name, await store.row(keyOf(name))] as const)));
}
