import { REFUSALS, Refused } from "@tierkeep/schema/domain/refusals";
import { describe, expect, it } from "vitest";
import { StartProblem } from "../app/start-problem.ts";
import { ConfigError } from "../config/config-error.ts";
import { exitCodeOf, isExpected } from "./exit-codes.ts";

describe("exit codes", () => {
  it("come from the table of refusals, for a refusal and for what the SDK makes of one", () => {
    for (const [code, { exit }] of Object.entries(REFUSALS)) {
      expect(exitCodeOf(new Refused(code as keyof typeof REFUSALS, "no"))).toBe(exit);
      expect(exitCodeOf(Object.assign(new Error("no"), { code }))).toBe(exit);
    }
  });

  it("are 2 for what keeps a command from starting, 1 for what nobody foresaw", () => {
    expect(exitCodeOf(new ConfigError("no"))).toBe(2);
    expect(exitCodeOf(new StartProblem("no"))).toBe(2);
    for (const error of [new Error("no"), "no", null, Object.assign(new Error("no"), { code: "ENOENT" })]) {
      expect(exitCodeOf(error)).toBe(1);
      expect(isExpected(error)).toBe(false);
    }
  });
});
