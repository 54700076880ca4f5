import { InvalidArgumentError } from "commander";
import { expect, it } from "vitest";
import { daysOf } from "./values.ts";

it.each([
  ["30d", 30],
  ["2w", 14],
  ["12h", 0.5],
  ["90m", 0.0625],
  ["86400s", 1],
  ["1.5d", 1.5],
  ["0d", 0],
])("daysOf parses %s as %f days", (text, days) => {
  expect(daysOf(text)).toBeCloseTo(days, 12);
});

it.each(["", "30", "d", "-1d", "1e3d", "30 d", "1y", "1d2h", ".5d"])("daysOf rejects %j", (text) => {
  expect(() => daysOf(text)).toThrow(InvalidArgumentError);
});
