import { join } from "node:path";
import { RottedStore } from "./rot/rotted-store.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { ProofRun, ProofSuite } from "./suite.ts";

export const rot: ProofSuite = {
  name: "rot",
  claim:
    "Files of a store are changed, cut, lost, swapped and put in: whatever is damaged is refused and told of once, and a repair brings back all that has its bytes left.",
  unit: "rounds",
  cycles: 15,
  isEachAlone: true,
  open: async (dir) => new RotRun(dir),
};

/** A store is harmed so often. What is damaged is written anew or put back, and, the last time, repaired. */
const TURNS = 5;
/** As a server has them; more often on one thread and without syncs, which is quicker, and the same to what rots. */
const DRIVERS = ["served", "inline", "inline", "inline"] as const;
/** How what is damaged is found first: by whoever reads it, by the scrubber, or by the repair itself. */
const FINDERS = ["reads", "reads", "pass", "repair"] as const;

/** A round is one store, from its first write to the end. */
class RotRun implements ProofRun {
  readonly figures = { "artifacts damaged": 0, "of them found": 0, repaired: 0 };
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async cycle(random: SeededRandom, signal?: AbortSignal): Promise<readonly string[]> {
    const drivers = random.oneOf(DRIVERS);
    await using store = await RottedStore.open(join(this.#dir, "store"), drivers, random);
    for (let turn = 1; turn < TURNS; turn++) {
      const broken = await this.#harm(store, random, false, [() => store.read(), () => store.found()]);
      if (broken.length > 0 || signal?.aborted) return broken;
      if (random.between(1, 3) === 1) await store.writeAnew(random);
      else {
        const left = await store.putBack(random);
        if (left.length > 0) return left;
      }
    }
    const finder = random.oneOf(FINDERS);
    return await this.#harm(store, random, true, [
      ...(finder === "reads" ? [() => store.read()] : []),
      ...(finder === "pass" ? [() => store.scrub(random)] : []),
      ...(finder === "repair" ? [] : [() => store.found()]),
      () => store.repair(),
      () => store.repairAgain(),
    ]);
  }

  /** Harms the store and does these steps, up to the first in which something breaks. */
  async #harm(
    store: RottedStore,
    random: SeededRandom,
    andPutsIn: boolean,
    steps: readonly (() => Promise<readonly string[]>)[],
  ): Promise<readonly string[]> {
    const { damaged } = await store.harm(random, andPutsIn);
    let broken: readonly string[] = [];
    for (const step of steps) {
      broken = await step();
      if (broken.length > 0) break;
    }
    this.figures["artifacts damaged"] += damaged.size;
    this.figures["of them found"] += new Set(await store.damageReported()).size;
    this.figures.repaired += (await store.healed()).length;
    return broken;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
