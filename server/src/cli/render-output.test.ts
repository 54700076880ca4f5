import { expect, it } from "vitest";
import { CapturedStream, capturedOutput } from "./render-captured.ts";
import { outputTo } from "./render-output.ts";
import { renderTable } from "./render-table.ts";

it("a table has aligned columns, wide characters counted as two, and no space at the ends of its lines", () => {
  const columns = [{ head: "tier" }, { head: "size", align: "right" as const }, { head: "who" }];
  const rows = [
    ["HOT", "1 KiB", "Hà Nội"],
    ["日本", "120 MiB", ""],
  ];
  expect(renderTable(columns, rows).split("\n")).toEqual([
    "tier     size  who",
    "HOT     1 KiB  Hà Nội",
    "日本  120 MiB",
  ]);
});

it.each([
  ["on a terminal", true, {}, true],
  ["but not into a pipe", false, {}, false],
  ["nor with NO_COLOR", true, { NO_COLOR: "1" }, false],
  ["which when empty means nothing", true, { NO_COLOR: "" }, true],
  ["nor on a dumb terminal", true, { TERM: "dumb" }, false],
])("colour is there %s", (_, isTTY, env, coloured) => {
  const output = outputTo({ stdout: new CapturedStream(isTTY), stderr: new CapturedStream(isTTY), env });
  expect(output.style.red("x") !== "x").toBe(coloured);
});

it("stdout has text or JSON, never both, and stderr has the talk", () => {
  for (const json of [false, true]) {
    const output = capturedOutput(json);
    output.text("for people");
    output.table([{ head: "tier" }], [["HOT"]]);
    output.value({ for: "programs" });
    output.talk("by the way");
    expect(output.stdout.text).toBe(json ? '{"for":"programs"}\n' : "for people\ntier\nHOT\n");
    expect(output.stderr.text).toBe("by the way\n");
  }
});
