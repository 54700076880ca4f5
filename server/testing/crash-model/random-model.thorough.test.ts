import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { drawing } from "../tiers/crash-loss.ts";
import { Story } from "./crash-story.ts";
import { type RandomRun, randomRuns } from "./random-runs.ts";

const RUNS = Number(process.env.MODEL_RUNS ?? 100);
const SEED = Number(process.env.MODEL_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Runs the processes. Returns every step and every file that exists at the end. */
async function tell(lives: readonly RandomRun[], seed: number): Promise<readonly string[]> {
  using story = Story.begin({ dir: tmpdir(), seed });
  for (const { acts, lastStep, lose } of lives) {
    await story.live(acts, lastStep, lose);
    await story.check();
  }
  return [...story.steps, ...readdirSync(story.root, { encoding: "utf8", recursive: true }).sort()];
}

/** Removes steps and processes as long as the guarantee stays violated. */
async function shortest(lives: readonly RandomRun[], seed: number): Promise<readonly RandomRun[]> {
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

test("the engine agrees with the in-memory model for random steps and crashes", async () => {
  for (let run = 0; run < RUNS; run += 1) {
    const seed = SEED + run;
    const lives = randomRuns(drawing({ seed }));
    await tell(lives, seed).catch(async (error: unknown) => {
      const story = JSON.stringify(await shortest(lives, seed), null, 2);
      throw new Error(`repeat with MODEL_SEED=${seed}; the shortest failing story is ${story}: ${error}`, {
        cause: error,
      });
    });
  }
}, 600_000);

test("a story with the same seed is the same, including the names of objects", async () => {
  for (let seed = 0; seed < 5; seed += 1) {
    const once = await tell(randomRuns(drawing({ seed })), seed);
    expect(await tell(randomRuns(drawing({ seed })), seed)).toEqual(once);
  }
});
