import { describe, expect, it } from "vitest";
import { fromBase64, toBase64, toBase64Portably } from "./base64.ts";

describe("base64", () => {
  it.each([0, 1, 2, 3, 4, 24_575, 24_576, 24_577, 100_000])("encodes and decodes %i bytes", (length) => {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 31) % 256);
    const text = toBase64(bytes);
    expect(text).toBe(Buffer.from(bytes).toString("base64"));
    expect(toBase64Portably(bytes)).toBe(text);
    expect(fromBase64(text)).toEqual(bytes);
  });

  it.each([
    ["no padding", "YQ"],
    ["too much padding", "YWI=="],
    ["padding inside", "YQ==YQ=="],
    ["a line break", "YWJj\nYWJj"],
    ["a space", "YWJ "],
    ["the URL alphabet", "-_-_"],
    ["stray bits after one byte", "YR=="],
    ["stray bits after two bytes", "YWJ="],
    ["a length of one", "YWJjY==="],
    ["only padding", "===="],
  ])("rejects %s", (_what, text) => {
    expect(fromBase64(text)).toBeNull();
  });
});
