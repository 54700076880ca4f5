import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { artifactPath, compareKeys, compareNames, isSameKey, keyOf, keyOfText, keyText } from "./keys.ts";

describe("keys", () => {
  const name = fc.constantFrom("a", "b", "ab");
  const id = fc.constantFrom("a", "b", "a/b", "b/a", "a/b/a");
  const key = fc.record({ tenantId: name, workflowId: name, artifactId: id });

  it("are equal exactly if their texts are equal, and exactly if compareKeys returns 0", () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(isSameKey(a, b)).toBe(keyText(a) === keyText(b));
        expect(isSameKey(a, b)).toBe(compareKeys(a, b) === 0);
      }),
    );
  });

  it("are read from their texts, which split at the first two slashes", () => {
    fc.assert(
      fc.property(key, (one) => {
        expect(keyOfText(keyText(one))).toEqual(one);
      }),
    );
    expect(keyOfText("acme/nightly")).toBeNull();
  });

  it("have a path with each segment percent-encoded", () => {
    const one = { tenantId: "acme", workflowId: "a b", artifactId: "plots/100%/é" };
    expect(artifactPath("/base", one)).toBe("/base/artifacts/acme/a%20b/plots/100%25/%C3%A9");
  });

  it("are extracted from an object without its other properties", () => {
    const one = { tenantId: "acme", workflowId: "nightly", artifactId: "report.pdf" };
    expect(keyOf({ ...one, ...{ sizeBytes: 1 } })).toStrictEqual(one);
    expect(keyText(one)).toBe("acme/nightly/report.pdf");
  });
});

describe("compareNames", () => {
  it("sorts by UTF-8 bytes", () => {
    const encoder = new TextEncoder();
    const names = fc.string({ unit: "binary", maxLength: 6 }).filter((name) => name.isWellFormed());
    fc.assert(
      fc.property(names, names, (a, b) => {
        expect(Math.sign(compareNames(a, b))).toBe(compareBytes(encoder.encode(a), encoder.encode(b)));
      }),
    );
  });

  it("sorts U+1F600 after U+FFEE, unlike a comparison of UTF-16 units", () => {
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
