import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byteRange } from "./byte-range.ts";

describe("byteRange", () => {
  it.each([
    ["bytes=0-0", { start: 0, end: 0 }],
    ["bytes=2-5", { start: 2, end: 5 }],
    ["bytes=7-", { start: 7, end: 9 }],
    ["bytes=8-99", { start: 8, end: 9 }],
    ["bytes=-3", { start: 7, end: 9 }],
    ["bytes=-99", { start: 0, end: 9 }],
    ["Bytes=2-5", { start: 2, end: 5 }],
  ])("returns the range of %s in ten bytes", (header, range) => {
    expect(byteRange(header, 10)).toEqual(range);
  });

  it.each(["bytes=10-", "bytes=10-12", "bytes=-0"])("cannot satisfy %s in ten bytes", (header) => {
    expect(byteRange(header, 10)).toBe("unsatisfiable");
  });

  it.each([
    null,
    "",
    "bytes",
    "bytes=",
    "bytes=-",
    "bytes=5-2",
    "bytes=a-b",
    "lines=1-2",
    "bytes=0-1,3-4",
    "bytes=1.5-2",
  ])("returns the complete content for %j", (header) => {
    expect(byteRange(header, 10)).toBeNull();
  });

  it("cannot satisfy any range of empty content", () => {
    for (const header of ["bytes=0-", "bytes=0-0", "bytes=-1"])
      expect(byteRange(header, 0)).toBe("unsatisfiable");
  });

  it("never exceeds the content", () => {
    const part = fc.option(fc.nat({ max: 30 }), { nil: "" });
    fc.assert(
      fc.property(part, part, fc.nat({ max: 20 }), (first, last, size) => {
        const range = byteRange(`bytes=${first}-${last}`, size);
        if (range === null || range === "unsatisfiable") return;
        expect(0 <= range.start && range.start <= range.end && range.end < size).toBe(true);
      }),
    );
  });
});
