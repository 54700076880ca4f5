import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fault } from "./fault.ts";
import { seededRandom } from "./seeded-random.ts";
import type { ProofRun } from "./suite.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tierkeep-prove-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Returns the figures of a run of eight faults in one store. */
async function figuresOf(seed: number): Promise<ProofRun["figures"]> {
  await using run = await fault.open(dir);
  for (let cycle = 0; cycle < 8; cycle += 1) expect(await run.cycle(seededRandom(seed + cycle))).toEqual([]);
  return run.figures;
}

describe("the suite fault", () => {
  it("finds no violation, repeats a seed exactly, and removes its files", async () => {
    const figures = await figuresOf(1);
    expect(figures.refusals).toBeGreaterThan(0);
    expect(await figuresOf(1)).toEqual(figures);
    expect(await figuresOf(1000)).not.toEqual(figures);
    expect(readdirSync(dir)).toEqual([]);
  });

  it("reports a violation with the operation after which it was found", async () => {
    await using run = await fault.open(dir);
    const [store = ""] = readdirSync(dir);
    const folder = join(dir, store, ".tierkeep", "objects", "ab");
    mkdirSync(folder);
    writeFileSync(join(folder, "ab".repeat(16)), "an unknown object");
    expect(await run.cycle(seededRandom(1))).toEqual([
      expect.stringMatching(/^a read of .*: without a fault: the catalog does not know object (ab){16}$/),
    ]);
  });
});
