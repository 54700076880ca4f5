import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { drawing } from "../tiers/crash-loss.ts";
import { Story } from "./crash-story.ts";
import { type RandomLife, randomLives } from "./random-runs.ts";

const RUNS = Number(process.env.MODEL_RUNS ?? 100);
const SEED = Number(process.env.MODEL_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Every step that was taken, and every file that is there in the end. */
async function tell(lives: readonly RandomLife[], seed: number): Promise<readonly string[]> {
  using story = Story.begin({ dir: tmpdir(), seed });
  for (const { acts, lastStep, lose } of lives) {
    await story.live(acts, lastStep, lose);
    await story.check();
  }
  return [...story.steps, ...readdirSync(story.root, { encoding: "utf8", recursive: true }).sort()];
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
      throw new Error(`repeat this with MODEL_SEED=${seed}; the shortest is ${story}: ${error}`, {
        cause: error,
      });
    });
  }
}, 600_000);

test("a story is the same, to the names of objects, whenever it is told by its seed", async () => {
  for (let seed = 0; seed < 5; seed += 1) {
    const once = await tell(randomLives(drawing({ seed })), seed);
    expect(await tell(randomLives(drawing({ seed })), seed)).toEqual(once);
  }
});
