import { REFUSALS, Refused } from "@tierkeep/schema/domain/refusals";
import { describe, expect, it } from "vitest";
import { StartProblem } from "../app/start-problem.ts";
import { ConfigError } from "../config/config-error.ts";
import { exitCodeOf, isExpected } from "./exit-codes.ts";

describe("exitCodeOf", () => {
  it("returns the code of the table of refusals, for refusals and for errors of the SDK", () => {
    for (const [code, { exit }] of Object.entries(REFUSALS)) {
      expect(exitCodeOf(new Refused(code as keyof typeof REFUSALS, "no"))).toBe(exit);
      expect(exitCodeOf(Object.assign(new Error("no"), { code }))).toBe(exit);
    }
  });

  it("returns 2 for errors at the start of a command, and 1 for unexpected errors", () => {
    expect(exitCodeOf(new ConfigError("no"))).toBe(2);
    expect(exitCodeOf(new StartProblem("no"))).toBe(2);
    for (const error of [new Error("no"), "no", null, Object.assign(new Error("no"), { code: "ENOENT" })]) {
      expect(exitCodeOf(error)).toBe(1);
      expect(isExpected(error)).toBe(false);
    }
  });
});
