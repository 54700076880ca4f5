import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonText, visible, visibleLines } from "./text.ts";

const CONTROLS = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

describe("visible and visibleLines", () => {
  it("escape control characters and direction marks", () => {
    expect(visible("title\u001b]0;gone\u0007, \u009b2J, \u202Etxt.exe")).toBe(
      "title\\u001b]0;gone\\u0007, \\u009b2J, \\u202etxt.exe",
    );
    expect(visible("日本 e\u0301 👩‍👩‍👧")).toBe("日本 e\u0301 👩‍👩‍👧");
  });

  it("leave no control characters except line breaks and the command's own styles", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(visible(text)).not.toMatch(CONTROLS);
        expect(visibleLines(text, "escape").replaceAll("\n", "")).not.toMatch(CONTROLS);
        expect(visibleLines(`\u001b[31m${text}\u001b[39m`, "drop").replaceAll("\n", "")).not.toMatch(
          CONTROLS,
        );
      }),
    );
  });

  it("keep or remove the command's own styles, and escape other sequences", () => {
    const text = "\u001b[31mred\u001b[39m\n\u001b[8mhidden";
    expect(visibleLines(text, "keep")).toBe("\u001b[31mred\u001b[39m\n\\u001b[8mhidden");
    expect(visibleLines(text, "drop")).toBe("red\n\\u001b[8mhidden");
  });
});

it("jsonText returns one line without control characters and with the same meaning", () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
      const line = jsonText(value);
      expect(line).not.toMatch(CONTROLS);
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
