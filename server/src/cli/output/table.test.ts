import fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, it } from "vitest";
import { type Cell, type Column, layoutOf, renderHead, renderRow } from "./table.ts";

function tableOf(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width = Number.POSITIVE_INFINITY,
): string[] {
  const layout = layoutOf(columns, rows, width);
  return [renderHead(layout, (text) => text), ...rows.map((row) => renderRow(layout, row))];
}

const KEYED: readonly Column[] = [
  { head: "tier" },
  { head: "artifact", narrow: "shorten" },
  { head: "size", align: "right" },
  { head: "next" },
];

const KEY = "acme/nightly-regression/coverage-report.html";

describe("a table", () => {
  it("aligns columns by displayed width, also with wide and combining characters, without trailing spaces", () => {
    const columns: Column[] = [{ head: "tier" }, { head: "size", align: "right" }, { head: "who" }];
    const rows = [
      ["HOT", "1 KiB", "Ha\u0300 Nội"],
      ["日本", "120 MiB", ""],
      ["e\u0301e\u0301", "1 B", "👩‍👩‍👧"],
    ];
    expect(tableOf(columns, rows)).toEqual([
      "tier     size  who",
      "HOT     1 KiB  Ha\u0300 Nội",
      "日本  120 MiB",
      "e\u0301e\u0301        1 B  👩‍👩‍👧",
    ]);
  });

  it("is not shortened without a width limit", () => {
    expect(tableOf(KEYED, [["HOT", KEY, "5 B", "PROMOTE_TO_WARM"]]).at(-1)).toBe(
      `HOT   ${KEY}   5 B  PROMOTE_TO_WARM`,
    );
  });

  it("drops its last columns if it is too wide, then shortens its key in the middle", () => {
    const rows = [["HOT", KEY, "5 B", "PROMOTE_TO_WARM"]];
    expect(tableOf(KEYED, rows, 60).at(-1)).toBe(
      "HOT   acme/nightly-re…age-report.html   5 B  PROMOTE_TO_WARM",
    );
    expect(tableOf(KEYED, rows, 50).at(-1)).toBe("HOT   acme/nightly-regres…verage-report.html   5 B");
    expect(tableOf(KEYED, rows, 32).at(-1)).toBe("HOT   acme/nightly-…-report.html");
  });

  it("keeps a column that must stay, even if the table becomes too wide", () => {
    const columns: Column[] = [{ head: "status" }, { head: "id", narrow: "stay" }];
    expect(tableOf(columns, [["RUNNING", "TGlmZWN5Y2xlSm9i"]], 10).at(-1)).toBe("RUNNING  TGlmZWN5Y2xlSm9i");
  });

  it("reserves the minimum width of a column for later rows", () => {
    const columns: Column[] = [{ head: "age", align: "right", minWidth: 6 }, { head: "artifact" }];
    expect(tableOf(columns, [["3 s", "a"]])).toEqual(["   age  artifact", "   3 s  a"]);
  });

  it("escapes control characters, and does not count a cell's style in its width", () => {
    const red = { text: "\u001b[31mno\u001b[0m", style: (text: string) => `<${text}>` };
    expect(tableOf([{ head: "a" }, { head: "b" }], [[red, "tab\there\n\u009b2J"]]).at(-1)).toBe(
      "<\\u001b[31mno\\u001b[0m>  tab\\u0009here\\u000a\\u009b2J",
    );
  });

  it("never exceeds the width, if its first column and the shortened one fit", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 60 });
    const rows = fc.array(fc.tuple(fc.constantFrom("HOT", "WARM"), text, text, text), { maxLength: 5 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 14, max: 120 }), (cells, width) => {
        for (const line of tableOf(KEYED, cells, width)) expect(stringWidth(line)).toBeLessThanOrEqual(width);
      }),
    );
  });
});
