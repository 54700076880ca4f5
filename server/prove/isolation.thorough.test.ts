import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EngineTenants } from "../src/services/tenant-service.ts";
import { isolation } from "./isolation.ts";
import { seededRandom } from "./seeded-random.ts";
import type { ProofRun } from "./suite.ts";

const RUNS = Number(process.env.ISOLATION_RUNS ?? 25);

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tierkeep-isolation-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true });
});

/** Returns the figures of one run. */
async function figuresOf(seed: number): Promise<ProofRun["figures"]> {
  await using run = await isolation.open(dir);
  expect(await run.cycle(seededRandom(seed))).toEqual([]);
  return run.figures;
}

describe("the suite isolation", () => {
  it("finds no answer to one caller that depends on the requests of the other", async () => {
    const first = Number(process.env.ISOLATION_SEED ?? Math.floor(Math.random() * 2 ** 31));
    await using run = await isolation.open(dir);
    for (let seed = first; seed < first + RUNS; seed++)
      expect(
        await run.cycle(seededRandom(seed)),
        `repeat this with ISOLATION_RUNS=1 ISOLATION_SEED=${seed}`,
      ).toEqual([]);
    expect(readdirSync(dir)).toEqual([]);
  }, 1_800_000);

  it("repeats a seed exactly", async () => {
    const figures = await figuresOf(1);
    expect(await figuresOf(1)).toEqual(figures);
    expect(await figuresOf(2)).not.toEqual(figures);
  });

  it("reports a count that includes another tenant's artifacts, with the step that shows it", async () => {
    const { tierCounts } = EngineTenants.prototype;
    vi.spyOn(EngineTenants.prototype, "tierCounts").mockImplementation(function (
      this: EngineTenants,
      principal,
    ) {
      return tierCounts.call(this, { ...principal, tenants: null });
    });
    await using run = await isolation.open(dir);
    const broken = await run.cycle(seededRandom(7));
    expect(broken).toHaveLength(2);
    expect(broken[0]).toMatch(
      /^After step \d+ of \d+, a \(read everything\) got data\.tierStats\[\d\]\.\w+ = \d+\. Without b it is \d+\. The last step of b was \w+ {.*}\.$/,
    );
    expect(readdirSync(dir)).toEqual([]);
  });
});
