import { Violation } from "../testing/crash-model/violation.ts";
import { CODES } from "../testing/faults/fault-injector.ts";
import { FaultyStore } from "../testing/faults/faulty-store.ts";
import { OPERATIONS } from "../testing/faults/operations.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { ProofRun, ProofSuite } from "./suite.ts";

export const fault: ProofSuite = {
  name: "fault",
  claim:
    "While disk or catalog calls fail, each operation succeeds, or is refused without effect. After the failures, the store is intact without a restart.",
  unit: "faults",
  cycles: 1000,
  isEachAlone: false,
  open: async (dir) => new FaultRun(await FaultyStore.open({ dir, durability: "fsync" })),
};

/** Each cycle injects one fault into the same store. */
class FaultRun implements ProofRun {
  readonly figures = { "of the disk": 0, "of the catalog": 0, refusals: 0, "outcomes unknown": 0 };
  readonly #store: FaultyStore;
  /** Calls of each operation that can fail with each code, as last counted. */
  readonly #calls = new Map<string, number>();

  constructor(store: FaultyStore) {
    this.#store = store;
  }

  async cycle(random: SeededRandom): Promise<readonly string[]> {
    try {
      while (!(await this.#injectOne(random)));
      return [];
    } catch (error) {
      if (error instanceof Violation) return error.sentences;
      throw error;
    }
  }

  /** Runs one operation with a fault. Returns false if the operation made fewer calls, so that none failed. */
  async #injectOne(random: SeededRandom): Promise<boolean> {
    const [name, operation] = random.oneOf(Object.entries(OPERATIONS));
    const code = random.oneOf(CODES);
    const lasting = random.oneOf([false, true]);
    const inject = async (nth: number) => {
      const { failed, calls } = await this.#store
        .run(operation, { code, nth, lasting })
        .catch((error: unknown) => {
          throw Violation.when(name, error);
        });
      if (failed.size === 0) this.#calls.set(`${name} ${code}`, calls);
      for (const place of failed) this.figures[`of the ${place}`] += 1;
      this.figures.refusals = this.#store.refused;
      this.figures["outcomes unknown"] = this.#store.unknown;
      return failed.size > 0;
    };
    if (!this.#calls.has(`${name} ${code}`)) await inject(Number.POSITIVE_INFINITY);
    const calls = this.#calls.get(`${name} ${code}`) ?? 0;
    return calls > 0 && inject(random.between(1, calls));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store.close();
  }
}
