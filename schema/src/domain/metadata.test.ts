import { describe, expect, it } from "vitest";
import { MAX_METADATA_BYTES, requireMetadata } from "./metadata.ts";

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = { in: value };
  return value;
}

describe("requireMetadata", () => {
  it("returns a JSON object unchanged", () => {
    const metadata = { a: 1, b: [true, null, { c: "é😀" }], "": "", __proto__x: 1 };
    expect(() => requireMetadata({ __x: 1 }, "metadata")).toThrow(/reserved/);
    const { __proto__x: _, ...rest } = metadata;
    expect(requireMetadata(rest, "metadata")).toBe(rest);
  });

  it.each([
    ["a list", []],
    ["null", null],
    ["text", "a"],
    ["a reserved key", { _checksum: "0" }],
    ["a number that JSON cannot express", { a: Number.NaN }],
    ["a function", { a: () => {} }],
    ["a lone surrogate in a value", { a: "\ud800" }],
    ["a lone surrogate in a nested key", { a: { "\udfff": 1 } }],
    ["nesting that is too deep", nested(40)],
  ])("rejects %s", (_what, value) => {
    expect(() => requireMetadata(value, "input.metadata")).toThrow(
      expect.objectContaining({ code: "BAD_USER_INPUT", facts: { argument: "input.metadata" } }),
    );
  });

  it("accepts at most 64 KiB of JSON in UTF-8", () => {
    const frame = JSON.stringify({ a: "" }).length;
    expect(() => requireMetadata({ a: "x".repeat(MAX_METADATA_BYTES - frame) }, "metadata")).not.toThrow();
    expect(() => requireMetadata({ a: "x".repeat(MAX_METADATA_BYTES - frame + 1) }, "metadata")).toThrow(
      expect.objectContaining({ code: "CONTENT_TOO_LARGE" }),
    );
    expect(() => requireMetadata({ a: "é".repeat(MAX_METADATA_BYTES / 2) }, "metadata")).toThrow(
      expect.objectContaining({ code: "CONTENT_TOO_LARGE" }),
    );
  });
});
