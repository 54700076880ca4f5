import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareKeys, compareNames, isSameKey, keyOf, keyText } from "./keys.ts";

describe("a key", () => {
  const name = fc.constantFrom("a", "b", "ab");
  const key = fc.record({ tenantId: name, workflowId: name, artifactId: name });

  it("is the same as another where its text is, and where neither comes first", () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(isSameKey(a, b)).toBe(keyText(a) === keyText(b));
        expect(isSameKey(a, b)).toBe(compareKeys(a, b) === 0);
      }),
    );
  });

  it("is what is left of a row without its other facts", () => {
    const one = { tenantId: "acme", workflowId: "nightly", artifactId: "report.pdf" };
    expect(keyOf({ ...one, ...{ sizeBytes: 1 } })).toStrictEqual(one);
    expect(keyText(one)).toBe("acme/nightly/report.pdf");
  });
});

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
