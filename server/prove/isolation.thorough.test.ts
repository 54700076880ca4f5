import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { EngineTenants } from "../src/services/tenant-service.ts";
import { isolation } from "./isolation.ts";
import { seededRandom } from "./seeded-random.ts";
import type { ProofRun } from "./suite.ts";

const STORIES = Number(process.env.ISOLATION_RUNS ?? 25);

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "tierkeep-isolation-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true });
});

/** Of one story. */
async function figuresOf(seed: number): Promise<ProofRun["figures"]> {
  await using run = await isolation.open(dir);
  expect(await run.cycle(seededRandom(seed))).toEqual([]);
  return run.figures;
}

it("whatever two callers do, neither sees, counts, changes or hinders anything of the other's tenants", async () => {
  const first = Number(process.env.ISOLATION_SEED ?? Math.floor(Math.random() * 2 ** 31));
  await using run = await isolation.open(dir);
  for (let seed = first; seed < first + STORIES; seed++)
    expect(
      await run.cycle(seededRandom(seed)),
      `repeat this with ISOLATION_RUNS=1 ISOLATION_SEED=${seed}`,
    ).toEqual([]);
  expect(readdirSync(dir)).toEqual([]);
}, 1_800_000);

it("the same story is told with the same seed, and another one with another", async () => {
  const figures = await figuresOf(1);
  expect(await figuresOf(1)).toEqual(figures);
  expect(await figuresOf(2)).not.toEqual(figures);
});

it("a count that takes in what is another's is told of, with the step that gave it away", async () => {
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
    /^After step \d+ of \d+, a \(looked at everything\) was told data\.tierStats\[\d\]\.\w+ = \d+; where b does nothing, it is \d+\. What b did last was \w+ {.*}\.$/,
  );
  expect(readdirSync(dir)).toEqual([]);
});
