import { join } from "node:path";
import { RottedStore } from "./rot/rotted-store.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { ProofRun, ProofSuite } from "./suite.ts";

export const rot: ProofSuite = {
  name: "rot",
  claim:
    "Files of a store are changed, truncated, removed, swapped and added. Reads of damaged artifacts fail, each damaged artifact is reported once, and a repair recovers every artifact whose bytes still exist.",
  unit: "rounds",
  cycles: 15,
  isEachAlone: true,
  open: async (dir) => new RotRun(dir),
};

/** Times that a store is damaged. Afterwards the artifacts are overwritten or put back; the last time they are repaired. */
const TURNS = 5;
/** "served": with a server's threads and syncs. "inline": on one thread without syncs; faster, with the same damage. */
const DRIVERS = ["served", "inline", "inline", "inline"] as const;
/** What finds the damage first: reads, a pass of the scrubber, or the repair. */
const FINDERS = ["reads", "reads", "pass", "repair"] as const;

/** Each cycle creates and checks one store. */
class RotRun implements ProofRun {
  readonly figures = { "artifacts damaged": 0, found: 0, repaired: 0 };
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async cycle(random: SeededRandom, signal?: AbortSignal): Promise<readonly string[]> {
    const drivers = random.oneOf(DRIVERS);
    await using store = await RottedStore.open(join(this.#dir, "store"), drivers, random);
    for (let turn = 1; turn < TURNS; turn++) {
      const broken = await this.#damage(store, random, false, [() => store.read(), () => store.found()]);
      if (broken.length > 0 || signal?.aborted) return broken;
      if (random.between(1, 3) === 1) await store.overwrite(random);
      else {
        const left = await store.putBack(random);
        if (left.length > 0) return left;
      }
    }
    const finder = random.oneOf(FINDERS);
    return await this.#damage(store, random, true, [
      ...(finder === "reads" ? [() => store.read()] : []),
      ...(finder === "pass" ? [() => store.scrub(random)] : []),
      ...(finder === "repair" ? [] : [() => store.found()]),
      () => store.repair(),
      () => store.repairAgain(),
    ]);
  }

  /** Damages the store and runs these steps, up to the first with a violation. */
  async #damage(
    store: RottedStore,
    random: SeededRandom,
    addsFiles: boolean,
    steps: readonly (() => Promise<readonly string[]>)[],
  ): Promise<readonly string[]> {
    const { damaged } = await store.damage(random, addsFiles);
    let broken: readonly string[] = [];
    for (const step of steps) {
      broken = await step();
      if (broken.length > 0) break;
    }
    this.figures["artifacts damaged"] += damaged.size;
    this.figures.found += new Set(await store.damageReported()).size;
    this.figures.repaired += (await store.recovered()).length;
    return broken;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
