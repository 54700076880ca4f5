import { expect, it } from "vitest";
import type { ProofResult } from "../../../../prove/run-suite.ts";
import { capturedOutput } from "../../../../testing/cli/captured-output.ts";
import { jsonOf, lineOf, showResults } from "./prove-results.ts";

const PASSED: ProofResult = {
  suite: "dice",
  tried: 3,
  unit: "throws",
  figures: { eyes: 12, "dice lost": 0 },
  seconds: 2,
  broken: [],
  replay: { cycles: 3, seed: 7 },
  folder: null,
};
const FAILED: ProofResult = {
  ...PASSED,
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

it("showResults prints a table", () => {
  expect(shown([PASSED])).toBe(
    ["suite  attempts  failures  counts", "dice   3 throws  none      12 eyes, 0 dice lost", ""].join("\n"),
  );
  expect(lineOf(PASSED)).toBe("dice: 3 throws in 2 s, passed");
});

it("showResults prints for each failed suite its failures, its folder and the command to repeat them", () => {
  expect(shown([PASSED, FAILED]).split("\n").slice(1)).toEqual([
    "dice   3 throws  none      12 eyes, 0 dice lost",
    "coins  1 throw   2         12 eyes, 0 dice lost",
    "",
    "coins failed:",
    "  It stands on edge.",
    "  Error: no coin",
    "      at table",
    "Its files: /tmp/coins",
    "Please report this, with these lines. To repeat: tierkeep prove --only coins --cycles 1 --seed 9",
    "",
  ]);
  expect(lineOf(FAILED)).toBe("coins: 1 throw in 2 s, failed");
  expect(jsonOf(FAILED)).toEqual({ ...FAILED, replay: "tierkeep prove --only coins --cycles 1 --seed 9" });
});

it("showResults prints the first ten failures and the number of further ones", () => {
  const text = shown([{ ...FAILED, broken: Array.from({ length: 13 }, (_, n) => `broken ${n}`) }]);
  expect(text).toContain("  broken 9\n  and 3 more; --json has them all\n");
  expect(text).not.toContain("broken 10");
});

it("showResults prints nothing without results", () => {
  expect(shown([])).toBe("");
});
