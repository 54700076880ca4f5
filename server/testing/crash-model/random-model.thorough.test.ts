import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { drawing } from "../tiers/crash-loss.ts";
import { type RandomProcess, randomProcesses } from "./random-processes.ts";
import { StoreHistory } from "./store-history.ts";

const RUNS = Number(process.env.MODEL_RUNS ?? 100);
const SEED = Number(process.env.MODEL_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Runs the processes on a new store, with checks after each. Resolves with every step, and every file at the end. */
async function run(processes: readonly RandomProcess[], seed: number): Promise<readonly string[]> {
  using history = StoreHistory.create({ dir: tmpdir(), seed });
  for (const { acts, lastStep, lose } of processes) {
    await history.run(acts, lastStep, lose);
    await history.check();
  }
  return [...history.steps, ...readdirSync(history.root, { encoding: "utf8", recursive: true }).sort()];
}

/** Removes processes and acts that are not needed for the violation. */
async function shortest(
  processes: readonly RandomProcess[],
  seed: number,
): Promise<readonly RandomProcess[]> {
  const shorter = processes.flatMap((simulated, at) => [
    processes.toSpliced(at, 1),
    ...simulated.acts.map((_, act) =>
      processes.with(at, { ...simulated, acts: simulated.acts.toSpliced(act, 1) }),
    ),
  ]);
  for (const fewer of shorter) {
    const isBroken = await run(fewer, seed).then(
      () => false,
      () => true,
    );
    if (isBroken) return shortest(fewer, seed);
  }
  return processes;
}

test("the engine agrees with a model in memory after random commands and crashes", async () => {
  for (let index = 0; index < RUNS; index += 1) {
    const seed = SEED + index;
    const processes = randomProcesses(drawing({ seed }));
    await run(processes, seed).catch(async (error: unknown) => {
      const story = JSON.stringify(await shortest(processes, seed), null, 2);
      throw new Error(`repeat this with MODEL_SEED=${seed}; the shortest is ${story}: ${error}`, {
        cause: error,
      });
    });
  }
}, 600_000);

test("the same seed gives the same history, including the names of objects", async () => {
  for (let seed = 0; seed < 5; seed += 1) {
    const once = await run(randomProcesses(drawing({ seed })), seed);
    expect(await run(randomProcesses(drawing({ seed })), seed)).toEqual(once);
  }
});
