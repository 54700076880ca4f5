import { existsSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ProofOptions, runSuite } from "./run-suite.ts";
import type { ProofRun, ProofSuite } from "./suite.ts";

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "tierkeep-prove-test-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** A suite that throws a die in each cycle, and records the results. */
class Dice implements ProofRun {
  readonly figures = { eyes: 0 };
  readonly thrown: number[] = [];
  isClosed = false;
  /** Returns the violations of cycle n, from 0. */
  answer: (n: number, signal?: AbortSignal) => Promise<readonly string[]> = async () => [];
  finish = async (): Promise<readonly string[]> => [];

  cycle: ProofRun["cycle"] = async (random, signal) => {
    const eyes = random.between(1, 1_000_000);
    this.thrown.push(eyes);
    this.figures.eyes += eyes;
    return await this.answer(this.thrown.length - 1, signal);
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.isClosed = true;
  }
}

function run(dice: Dice, options: Partial<ProofOptions & ProofSuite> = {}) {
  const suite: ProofSuite = {
    name: "dice",
    claim: "A die falls.",
    unit: "throws",
    cycles: 3,
    isEachAlone: true,
    open: async (folder) => {
      writeFileSync(join(folder, "die"), "");
      return dice;
    },
    ...options,
  };
  return runSuite(suite, { dir, seed: 7, cycles: suite.cycles, ...options });
}

describe("runSuite", () => {
  it("runs the cycles, returns their number and figures, and removes the folder", async () => {
    const dice = new Dice();
    const progress: string[] = [];
    const result = await run(dice, { onProgress: (done, total) => progress.push(`${done} of ${total}`) });
    expect(result).toEqual({
      suite: "dice",
      tried: 3,
      unit: "throws",
      figures: { eyes: dice.thrown.reduce((sum, eyes) => sum + eyes) },
      seconds: expect.any(Number),
      broken: [],
      replay: { cycles: 3, seed: 7 },
      folder: null,
    });
    expect(progress).toEqual(["0 of 3", "1 of 3", "2 of 3", "3 of 3"]);
    expect([dice.isClosed, existsSync(join(dir, "dice"))]).toEqual([true, false]);
  });

  it("repeats a seed exactly, and a single cycle by its own seed", async () => {
    const [first, again, other, third] = [new Dice(), new Dice(), new Dice(), new Dice()];
    await run(first);
    await run(again);
    await run(other, { seed: 8_000 });
    await run(third, { seed: 9, cycles: 1 });
    expect(again.thrown).toEqual(first.thrown);
    expect(other.thrown).not.toEqual(first.thrown);
    expect(third.thrown).toEqual([first.thrown[2]]);
  });

  it("stops at the first violation, keeps the folder, and returns how to repeat it", async () => {
    const dice = new Dice();
    dice.answer = async (n) => (n === 1 ? ["The die broke.", "So did the table."] : []);
    const broken = ["The die broke.", "So did the table."];
    const folder = join(dir, "dice");
    expect(await run(dice)).toMatchObject({ tried: 2, broken, folder, replay: { cycles: 1, seed: 8 } });
    expect([dice.isClosed, existsSync(join(folder, "die"))]).toEqual([true, true]);
  });

  it("removes the folder after a violation if it is empty", async () => {
    const dice = new Dice();
    dice.answer = async () => ["The die broke."];
    expect(await run(dice, { open: async () => dice })).toMatchObject({ tried: 1, folder: null });
    expect(existsSync(join(dir, "dice"))).toBe(false);
  });

  it("repeats all cycles up to the violation if they depend on each other", async () => {
    const dice = new Dice();
    dice.answer = async (n) => (n === 1 ? ["The die broke."] : []);
    expect(await run(dice, { isEachAlone: false })).toMatchObject({
      tried: 2,
      replay: { cycles: 2, seed: 7 },
    });
  });

  it.each<[string, (dice: Dice) => Partial<ProofSuite>]>([
    [
      "opening the suite",
      () => ({
        open: async (folder) => {
          writeFileSync(join(folder, "die"), "");
          throw new Error("No die.");
        },
      }),
    ],
    [
      "a cycle",
      (dice) => {
        dice.answer = async () => {
          throw new Error("No die.");
        };
        return {};
      },
    ],
    [
      "the final check",
      (dice) => {
        dice.finish = async () => ["No die."];
        return {};
      },
    ],
    [
      "closing the suite",
      (dice) => {
        dice[Symbol.asyncDispose] = async () => {
          throw new Error("No die.");
        };
        return {};
      },
    ],
  ])("counts an error in %s as a violation", async (_, breakDice) => {
    const dice = new Dice();
    expect(await run(dice, breakDice(dice))).toMatchObject({
      broken: [expect.stringContaining("No die.")],
      folder: join(dir, "dice"),
    });
  });

  it("yields to the event loop between cycles that await nothing", async () => {
    const dice = new Dice();
    const interrupted = new AbortController();
    dice.answer = async (n) => {
      if (n === 0) setImmediate(() => interrupted.abort(new Error("Enough.")));
      return [];
    };
    await expect(run(dice, { cycles: 10_000, signal: interrupted.signal })).rejects.toThrow("Enough.");
    expect(dice.thrown.length).toBeLessThan(10_000);
  });

  it("signals an interruption to the current cycle, waits for it, and removes the folder despite a violation", async () => {
    const dice = new Dice();
    const interrupted = new AbortController();
    let reason: unknown = null;
    dice.answer = async (_, signal) => {
      signal?.addEventListener("abort", () => {
        reason = signal.reason;
      });
      interrupted.abort(new Error("Enough."));
      return ["Its server is gone."];
    };
    await expect(run(dice, { signal: interrupted.signal })).rejects.toThrow("Enough.");
    expect([reason, dice.isClosed]).toEqual([new Error("Enough."), true]);
    expect(existsSync(join(dir, "dice"))).toBe(false);
  });
});
