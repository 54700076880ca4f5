import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
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

it("1,000 tamperings with audit logs are found, whatever they are", async () => {
  const seed = Math.floor(Math.random() * 1e9);
  const { tried, broken, figures } = await runSuite(tamper, { dir, seed, cycles: 1_000 });
  expect(broken, `seed ${seed}`).toEqual([]);
  expect([tried, figures]).toEqual([
    1_000,
    { "found by the log itself": expect.any(Number), "found by a head that was kept": expect.any(Number) },
  ]);
});

it("the same are tried again with the same seed, and others with another", async () => {
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

it("a log that does not stand although nothing was done to it is told", async () => {
  await using run = await tamper.open(dir);
  await appendFile(join(dir, "log-1", "logs", "lifecycle_events.jsonl"), "{}\n");
  expect(await run.finish?.()).toEqual([
    expect.stringMatching(/^A log of many files that nobody harmed is refused: /),
  ]);
});
