import type { DiskStep } from "../src/files/disk.ts";
import { cutPower, Recording } from "../testing/crash-model/power-cut.ts";
import { type RandomProcess, randomProcesses } from "../testing/crash-model/random-processes.ts";
import { StoreHistory } from "../testing/crash-model/store-history.ts";
import { Violation } from "../testing/crash-model/violation.ts";
import type { Draw } from "../testing/tiers/crash-loss.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { ProofRun, ProofSuite } from "./suite.ts";

export const powerLoss: ProofSuite = {
  name: "power-loss",
  claim:
    "After a power loss at any step, with any part of the unsynced data lost, a store has every acknowledged change and no partial change.",
  unit: "runs",
  cycles: 150,
  isEachAlone: true,
  open: async (dir) => new PowerLossRun(dir),
};

/**
 * Each run is the history of one store: simulated processes with random acts that crash after a random step, on a
 * disk that loses unsynced data. In one of them the power also fails within a random commit.
 */
export class PowerLossRun implements ProofRun {
  readonly figures = {
    crashes: 0,
    "changes acknowledged": 0,
    "states of the catalog's log": 0,
    "engine starts": 0,
  };
  readonly #dir: string;
  readonly #omit: DiskStep | undefined;

  /** @param omit a sync that is left out, so that the suite must find a violation */
  constructor(dir: string, omit?: DiskStep) {
    this.#dir = dir;
    this.#omit = omit;
  }

  async cycle(random: SeededRandom): Promise<readonly string[]> {
    const draw: Draw = (last) => random.between(0, last);
    const processes = randomProcesses(draw);
    const cut = random.oneOf(processes);
    using history = StoreHistory.create({ dir: this.#dir, seed: draw(2 ** 31 - 1), omit: this.#omit });
    try {
      for (const one of processes) await this.#run(history, one, one === cut ? draw : null);
      return [];
    } catch (error) {
      if (error instanceof Violation) return error.sentences;
      throw error;
    } finally {
      this.figures["changes acknowledged"] += history.acknowledged;
    }
  }

  /** @param draw decides in which commit the power fails, and how; null for none */
  async #run(
    history: StoreHistory,
    { acts, lastStep, lose }: RandomProcess,
    draw: Draw | null,
  ): Promise<void> {
    let commits = 0;
    // Reservoir sampling: each commit is equally likely, without knowing how many follow.
    using recording = new Recording(history, () => {
      commits += 1;
      if (draw?.(commits - 1) !== 0) return false;
      recording.clear();
      return true;
    });
    await history.run(acts, lastStep, lose, draw ? recording.record : undefined);
    this.figures.crashes += 1;
    this.figures["engine starts"] += 1;
    await history.check();
    for (const moment of draw ? recording.moments : []) {
      const { states, starts } = await cutPower(moment, draw as Draw);
      this.figures["states of the catalog's log"] += states;
      this.figures["engine starts"] += starts;
    }
  }

  /** Each history has removed its files. */
  async [Symbol.asyncDispose](): Promise<void> {}
}
