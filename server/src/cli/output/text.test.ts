import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonText, visible, visibleLines } from "./text.ts";

const OBEYED = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

describe("text of others", () => {
  it("is shown with control characters and direction marks written out", () => {
    expect(visible("title\u001b]0;gone\u0007, \u009b2J, \u202Etxt.exe")).toBe(
      "title\\u001b]0;gone\\u0007, \\u009b2J, \\u202etxt.exe",
    );
    expect(visible("日本 e\u0301 👩‍👩‍👧")).toBe("日本 e\u0301 👩‍👩‍👧");
  });

  it("never reaches a terminal with any of them, line breaks and our own styles apart", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(visible(text)).not.toMatch(OBEYED);
        expect(visibleLines(text, "escape").replaceAll("\n", "")).not.toMatch(OBEYED);
        expect(visibleLines(`\u001b[31m${text}\u001b[39m`, "drop").replaceAll("\n", "")).not.toMatch(OBEYED);
      }),
    );
  });

  it("keeps the few styles that are ours where they are wanted, and no other sequence", () => {
    const text = "\u001b[31mred\u001b[39m\n\u001b[8mhidden";
    expect(visibleLines(text, "keep")).toBe("\u001b[31mred\u001b[39m\n\\u001b[8mhidden");
    expect(visibleLines(text, "drop")).toBe("red\n\\u001b[8mhidden");
  });
});

it("JSON is one line without any of them, and means the same", () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
      const line = jsonText(value);
      expect(line).not.toMatch(OBEYED);
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
