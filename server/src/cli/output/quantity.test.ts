import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { counted, formatAge, formatBytes, formatDays, formatDuration, formatInstant } from "./quantity.ts";

const SECOND = 1 / 86_400;

describe("formatBytes", () => {
  it.each([
    [0, "0 B"],
    [1, "1 B"],
    [999, "999 B"],
    [1_000, "0.98 KiB"],
    [1_024, "1 KiB"],
    [1_536, "1.5 KiB"],
    [10 * 1_024, "10 KiB"],
    [99.96 * 1_024, "100 KiB"],
    [123_456_789, "118 MiB"],
    [2 ** 31, "2 GiB"],
    [2 ** 53 - 1, "8 PiB"],
  ])("formats %i bytes as %s", (bytes, shown) => {
    expect(formatBytes(bytes)).toBe(shown);
  });

  it("uses at most 8 characters, with an error of at most 0.51 %", () => {
    const property = fc.property(fc.maxSafeNat(), (bytes) => {
      const shown = formatBytes(bytes);
      expect(shown.length).toBeLessThanOrEqual(8);
      const [value = "", unit = ""] = shown.split(" ");
      const power = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"].indexOf(unit);
      expect(Math.abs(Number(value) * 1024 ** power - bytes)).toBeLessThanOrEqual(bytes * 0.0051);
    });
    fc.assert(property);
  });
});

describe("formatAge", () => {
  it.each([
    [0, "0 s"],
    [59 * SECOND, "59 s"],
    [60 * SECOND, "1 min"],
    [59 * 60 * SECOND, "59 min"],
    [60 * 60 * SECOND, "1 h"],
    [1, "1 d"],
    [7.004, "7 d"],
    [6.99, "7 d"],
    [6.94, "6.9 d"],
    [8.56, "8.6 d"],
    [31.25, "31.3 d"],
    [1_000.2, "1000 d"],
  ])("formats %f days as %s", (days, shown) => {
    expect(formatAge(days)).toBe(shown);
  });
});

describe("formatDuration", () => {
  it.each([
    [0.0001, "1 ms"],
    [0.0042, "4 ms"],
    [0.9994, "999 ms"],
    [0.9996, "1 s"],
    [12.34, "12.3 s"],
    [185.9, "3 min 5 s"],
  ])("formats %f seconds as %s", (seconds, shown) => {
    expect(formatDuration(seconds)).toBe(shown);
  });
});

it("formatDays, formatInstant and counted return readable text", () => {
  expect([formatDays(7), formatDays(0.5), formatDays(null)]).toEqual(["7 d", "0.5 d", "never"]);
  expect(formatInstant("2026-11-24T09:00:01.234Z")).toBe("2026-11-24 09:00:01Z");
  expect([counted(0, "error"), counted(1, "error"), counted(2, "error")]).toEqual([
    "0 errors",
    "1 error",
    "2 errors",
  ]);
});
