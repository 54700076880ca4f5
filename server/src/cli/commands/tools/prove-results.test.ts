import { expect, it } from "vitest";
import type { ProofResult } from "../../../../prove/run-suite.ts";
import { capturedOutput } from "../../../../testing/cli/captured-output.ts";
import { jsonOf, lineOf, showResults } from "./prove-results.ts";

const KEPT: ProofResult = {
  suite: "dice",
  tried: 3,
  unit: "throws",
  figures: { eyes: 12, "dice lost": 0 },
  seconds: 2,
  broken: [],
  replay: { cycles: 3, seed: 7 },
  folder: null,
};
const BROKEN: ProofResult = {
  ...KEPT,
  suite: "coins",
  tried: 1,
  broken: ["It stands on edge.", "Error: no coin\n    at table"],
  replay: { cycles: 1, seed: 9 },
  folder: "/tmp/coins",
};

function shown(results: readonly ProofResult[]): string {
  const output = capturedOutput();
  showResults(results, output);
  return output.stdout.text;
}

it("what was tried is a table", () => {
  expect(shown([KEPT])).toBe(
    ["suite  tried     broke    counted", "dice   3 throws  nothing  12 eyes, 0 dice lost", ""].join("\n"),
  );
  expect(lineOf(KEPT)).toBe("dice: 3 throws in 2 s, nothing broke");
});

it("of what broke is said what, where to look, and how to get there again", () => {
  expect(shown([KEPT, BROKEN]).split("\n").slice(1)).toEqual([
    "dice   3 throws  nothing  12 eyes, 0 dice lost",
    "coins  1 throw   2        12 eyes, 0 dice lost",
    "",
    "coins broke:",
    "  It stands on edge.",
    "  Error: no coin",
    "      at table",
    "What is left of it: /tmp/coins",
    "Please report it, with these lines. The same again: tierkeep prove --only coins --cycles 1 --seed 9",
    "",
  ]);
  expect(lineOf(BROKEN)).toBe("coins: 1 throw in 2 s, it broke");
  expect(jsonOf(BROKEN)).toEqual({ ...BROKEN, replay: "tierkeep prove --only coins --cycles 1 --seed 9" });
});

it("of much that broke the first ten are shown, and how many more there are", () => {
  const text = shown([{ ...BROKEN, broken: Array.from({ length: 13 }, (_, n) => `broken ${n}`) }]);
  expect(text).toContain("  broken 9\n  and 3 more; --json has them all\n");
  expect(text).not.toContain("broken 10");
});

it("a suite of which nothing was tried is in no table", () => {
  expect(shown([])).toBe("");
});
