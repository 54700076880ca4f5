import { tmpdir } from "node:os";
import { test } from "vitest";
import { drawing } from "../../tiers/filesystem/crash-loss.ts";
import { Broken } from "./broken.ts";
import { type RandomLife, randomLives } from "./random-lives.ts";
import { Story } from "./story.ts";

const RUNS = Number(process.env.MODEL_RUNS ?? 150);
const SEED = Number(process.env.MODEL_SEED ?? Math.floor(Math.random() * 2 ** 31));

async function tell(lives: readonly RandomLife[], seed: number): Promise<void> {
  using story = Story.begin({ dir: tmpdir(), seed });
  for (const { acts, lastStep, lose } of lives) {
    await story.live(acts, lastStep, lose);
    await story.check();
  }
}

/** Without the acts, and the lives, that it is broken without as well. */
async function shortest(lives: readonly RandomLife[], seed: number): Promise<readonly RandomLife[]> {
  const shorter = lives.flatMap((life, at) => [
    lives.toSpliced(at, 1),
    ...life.acts.map((_, act) => lives.with(at, { ...life, acts: life.acts.toSpliced(act, 1) })),
  ]);
  for (const fewer of shorter) {
    const isBroken = await tell(fewer, seed).then(
      () => false,
      () => true,
    );
    if (isBroken) return shortest(fewer, seed);
  }
  return lives;
}

test("agrees with a model in memory, whatever is asked and whenever it dies", async () => {
  for (let run = 0; run < RUNS; run += 1) {
    const seed = SEED + run;
    const lives = randomLives(drawing({ seed }));
    await tell(lives, seed).catch(async (error: unknown) => {
      const story = JSON.stringify(await shortest(lives, seed), null, 2);
      throw Broken.when(`MODEL_SEED=${seed} MODEL_RUNS=1, at its shortest ${story}`, error);
    });
  }
}, 600_000);
