import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PowerLossRun, powerLoss } from "./power-loss.ts";
import { seededRandom } from "./seeded-random.ts";
import type { ProofRun } from "./suite.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tierkeep-prove-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Returns the sentences of the first seed with a violation; empty if there is none. */
async function broken(run: ProofRun, seeds: readonly number[]): Promise<readonly string[]> {
  for (const seed of seeds) {
    const sentences = await run.cycle(seededRandom(seed));
    if (sentences.length > 0) return sentences;
  }
  return [];
}

async function figuresOf(seed: number): Promise<ProofRun["figures"]> {
  await using run = await powerLoss.open(dir);
  expect(await broken(run, [seed])).toEqual([]);
  return run.figures;
}

describe("the suite power-loss", () => {
  it("finds no violation, and removes its files", async () => {
    await using run = await powerLoss.open(dir);
    expect(await broken(run, [1, 2, 3])).toEqual([]);
    for (const count of Object.values(run.figures)) expect(count).toBeGreaterThan(0);
    expect(readdirSync(dir)).toEqual([]);
  });

  it("repeats a seed exactly", async () => {
    const figures = await figuresOf(4);
    expect(await figuresOf(4)).toEqual(figures);
    expect(await figuresOf(5)).not.toEqual(figures);
  });

  it("reports what a store without a sync has lost, and after how many steps", async () => {
    await using run = new PowerLossRun(dir, "object.fsync");
    const seeds = Array.from({ length: 40 }, (_, index) => index);
    expect((await broken(run, seeds)).join()).toMatch(/after \d+ steps, .* cannot be read: .* stored bytes/);
    expect(readdirSync(dir)).toEqual([]);
  });
});
