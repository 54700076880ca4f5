import { Violation } from "../testing/crash-model/violation.ts";
import { CODES } from "../testing/faults/fault-injector.ts";
import { FaultyStore } from "../testing/faults/faulty-store.ts";
import { OPERATIONS } from "../testing/faults/operations.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { ProofRun, ProofSuite } from "./suite.ts";

export const fault: ProofSuite = {
  name: "fault",
  claim:
    "Whatever a store is asked for while its disk or its catalog fails is done or refused without a trace, and all is well once they work again, without a restart.",
  unit: "faults",
  cycles: 1000,
  isEachAlone: false,
  open: async (dir) => new FaultRun(await FaultyStore.open({ dir, durability: "fsync" })),
};

/** Each cycle is one more fault in the same store. */
class FaultRun implements ProofRun {
  readonly figures = { "of the disk": 0, "of the catalog": 0, refusals: 0, "outcomes unknown": 0 };
  readonly #store: FaultyStore;
  /** How many calls of an operation can fail with a code, as it was last seen. */
  readonly #calls = new Map<string, number>();

  constructor(store: FaultyStore) {
    this.#store = store;
  }

  async cycle(random: SeededRandom): Promise<readonly string[]> {
    try {
      while (!(await this.#strike(random)));
      return [];
    } catch (error) {
      if (error instanceof Violation) return error.sentences;
      throw error;
    }
  }

  /** False: nothing has failed, for there were fewer calls. */
  async #strike(random: SeededRandom): Promise<boolean> {
    const [name, operation] = random.oneOf(Object.entries(OPERATIONS));
    const code = random.oneOf(CODES);
    const lasting = random.oneOf([false, true]);
    const suffer = async (nth: number) => {
      const { struck, calls } = await this.#store
        .runWithFault(operation, { code, nth, lasting })
        .catch((error: unknown) => {
          throw Violation.when(name, error);
        });
      if (struck.size === 0) this.#calls.set(`${name} ${code}`, calls);
      for (const place of struck) this.figures[`of the ${place}`] += 1;
      this.figures.refusals = this.#store.refused;
      this.figures["outcomes unknown"] = this.#store.unknown;
      return struck.size > 0;
    };
    if (!this.#calls.has(`${name} ${code}`)) await suffer(Number.POSITIVE_INFINITY);
    const calls = this.#calls.get(`${name} ${code}`) ?? 0;
    return calls > 0 && suffer(random.between(1, calls));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store.close();
  }
}
