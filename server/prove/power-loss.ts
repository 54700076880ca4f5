import type { DiskStep } from "../src/files/disk.ts";
import { Story } from "../testing/crash-model/crash-story.ts";
import { cutPower, Recording } from "../testing/crash-model/power-cut.ts";
import { type RandomRun, randomRuns } from "../testing/crash-model/random-runs.ts";
import { Violation } from "../testing/crash-model/violation.ts";
import type { Draw } from "../testing/tiers/crash-loss.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { ProofRun, ProofSuite } from "./suite.ts";

export const powerLoss: ProofSuite = {
  name: "power-loss",
  claim:
    "A store that loses power after any step, and with it any part of what was not synced, keeps all that was acknowledged and nothing half done.",
  unit: "runs",
  cycles: 150,
  isEachAlone: true,
  open: async (dir) => new PowerLossRun(dir),
};

/**
 * Each run is the story of one store: lives of random acts that die after a random step on a disk that forgets, and
 * in one of them a power cut in the middle of a random commit.
 */
export class PowerLossRun implements ProofRun {
  readonly figures = {
    deaths: 0,
    "changes acknowledged": 0,
    "states of the catalog's log": 0,
    "engine starts": 0,
  };
  readonly #dir: string;
  readonly #omit: DiskStep | undefined;

  /** @param omit a sync that is left out: then it must break */
  constructor(dir: string, omit?: DiskStep) {
    this.#dir = dir;
    this.#omit = omit;
  }

  async cycle(random: SeededRandom): Promise<readonly string[]> {
    const draw: Draw = (last) => random.between(0, last);
    const lives = randomRuns(draw);
    const cut = random.oneOf(lives);
    using story = Story.begin({ dir: this.#dir, seed: draw(2 ** 31 - 1), omit: this.#omit });
    try {
      for (const life of lives) await this.#live(story, life, life === cut ? draw : null);
      return [];
    } catch (error) {
      if (error instanceof Violation) return error.sentences;
      throw error;
    } finally {
      this.figures["changes acknowledged"] += story.acknowledged;
    }
  }

  /** `draw`: where the power is cut in one of its commits; null: in none. */
  async #live(story: Story, { acts, lastStep, lose }: RandomRun, draw: Draw | null): Promise<void> {
    let commits = 0;
    // Any of them, each as likely as the others, though nobody knows how many are to come.
    using recording = new Recording(story, () => {
      commits += 1;
      if (draw?.(commits - 1) !== 0) return false;
      recording.forget();
      return true;
    });
    await story.live(acts, lastStep, lose, draw ? recording.look : undefined);
    this.figures.deaths += 1;
    this.figures["engine starts"] += 1;
    await story.check();
    for (const moment of draw ? recording.moments : []) {
      const { states, starts } = await cutPower(moment, draw as Draw);
      this.figures["states of the catalog's log"] += states;
      this.figures["engine starts"] += starts;
    }
  }

  /** Each story has cleaned up. */
  async [Symbol.asyncDispose](): Promise<void> {}
}
