import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareNames } from "./keys.ts";

describe("order of names", () => {
  it("is the order of their UTF-8 bytes", () => {
    const encoder = new TextEncoder();
    const names = fc.string({ unit: "binary", maxLength: 6 }).filter((name) => name.isWellFormed());
    fc.assert(
      fc.property(names, names, (a, b) => {
        expect(Math.sign(compareNames(a, b))).toBe(compareBytes(encoder.encode(a), encoder.encode(b)));
      }),
    );
  });

  it("puts an astral character after the last of the basic plane, unlike UTF-16", () => {
    expect(compareNames("\uffee", "\u{1f600}")).toBeLessThan(0);
    expect("\uffee" < "\u{1f600}").toBe(false);
  });
});

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return Math.sign(a.length - b.length);
}
