import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runSuite } from "./run-suite.ts";
import { seededRandom } from "./seeded-random.ts";
import { tamper as tamperWith } from "./tamper/tampering.ts";
import { tamper } from "./tamper.ts";

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "tierkeep-tamper-test-"));
});

afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe("the tamper suite", () => {
  it("detects 1,000 random manipulations of audit logs", async () => {
    const seed = Math.floor(Math.random() * 1e9);
    const { tried, broken, figures } = await runSuite(tamper, { dir, seed, cycles: 1_000 });
    expect(broken, `seed ${seed}`).toEqual([]);
    expect([tried, figures]).toEqual([
      1_000,
      { "found by the log itself": expect.any(Number), "found by a saved head": expect.any(Number) },
    ]);
  });

  it("makes the same manipulations for the same seed", async () => {
    const figuresOf = async (seed: number) => (await runSuite(tamper, { dir, seed, cycles: 20 })).figures;
    const [first, again, other] = [await figuresOf(1), await figuresOf(1), await figuresOf(1_000)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    const files = new Map([
      ["a", "one\ntwo\nthree\n"],
      ["b", "four\n"],
    ]);
    const tampered = (seed: number) => tamperWith(files, seededRandom(seed));
    const seeds = Array.from({ length: 100 }, (_, seed) => seed);
    expect(seeds.map(tampered)).toEqual(seeds.map(tampered));
    expect(new Set(seeds.map((seed) => tampered(seed).how)).size).toBeGreaterThan(20);
  });

  it("reports that the verification of an unchanged log failed", async () => {
    await using run = await tamper.open(dir);
    await appendFile(join(dir, "log-1", "logs", "lifecycle_events.jsonl"), "{}\n");
    expect(await run.finish?.()).toEqual([
      expect.stringMatching(/^Verification of an unchanged log of many files failed: /),
    ]);
  });
});
