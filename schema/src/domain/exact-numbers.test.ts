import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exactJson, inexactNumberIn } from "./exact-numbers.ts";
import { requireMetadata } from "./metadata.ts";

const read = (text: string) => JSON.parse(exactJson(text));

describe("exactJson", () => {
  it.each([
    "0",
    "-0",
    "1.0",
    "1e2",
    "9007199254740992",
    "-9007199254740991",
    "123456789012345000000",
    "0.1",
    "0.30000000000000004",
    "1e23",
    "1.7976931348623157e308",
    "5e-324",
  ])("leaves %s, which a double holds exactly", (number) => {
    const text = `{"a":[${number}]}`;
    expect(exactJson(text)).toBe(text);
  });

  it.each([
    "12345678901234567890",
    "-12345678901234567890",
    "9007199254740993",
    "3.14159265358979323846",
    "1.00000000000000000001",
    "1e400",
    "-1e400",
    "1e-400",
    `1${"0".repeat(500)}`,
  ])("replaces %s, which a double changes", (number) => {
    const [value] = read(`[${number}]`);
    expect(number.startsWith(String(inexactNumberIn(value)).replace("…", ""))).toBe(true);
    expect(() => requireMetadata({ n: value }, "metadata")).toThrow(/cannot be stored exactly/);
  });

  it("leaves numbers inside strings unchanged", () => {
    const value = { "12345678901234567890": 'a "12345678901234567890" \\', b: ["\\\\", "9007199254740993"] };
    const text = JSON.stringify(value, null, 1);
    expect(exactJson(text)).toBe(text);
  });

  it("leaves invalid JSON invalid", () => {
    for (const text of ["01234567890123456789", "{12345678901234567890:1}", '"a', "--12345678901234567890"]) {
      expect(() => read(text)).toThrow(SyntaxError);
    }
  });

  it("leaves the output of JSON.stringify unchanged", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(exactJson(text)).toBe(text);
      }),
    );
  });
});
