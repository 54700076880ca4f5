import { expect, it } from "vitest";
import { CapturedStream, capturedOutput } from "../../../testing/cli/captured-output.ts";
import { outputTo } from "./output.ts";

it.each([
  ["on a terminal", true, {}, true],
  ["into a pipe", false, {}, false],
  ["with NO_COLOR", true, { NO_COLOR: "1" }, false],
  ["with an empty NO_COLOR", true, { NO_COLOR: "" }, true],
  ["on a dumb terminal", true, { TERM: "dumb" }, false],
])("output has colours only on a terminal that allows them: %s", (_, isTTY, env, coloured) => {
  const output = outputTo({ stdout: new CapturedStream(isTTY), stderr: new CapturedStream(isTTY), env });
  expect(output.style.red("x") !== "x").toBe(coloured);
});

it("output writes text or JSON to stdout, never both, and notes to stderr", () => {
  for (const json of [false, true]) {
    const output = capturedOutput(json);
    output.text("for people");
    output.table([{ head: "tier" }], [["HOT"]]);
    output.value({ for: "programs" });
    output.note("by the way");
    expect(output.stdout.text).toBe(json ? '{"for":"programs"}\n' : "for people\ntier\nHOT\n");
    expect(output.stderr.text).toBe("by the way\n");
  }
});

it("output escapes control sequences on both streams", () => {
  for (const isTTY of [true, false]) {
    const [stdout, stderr] = [new CapturedStream(isTTY), new CapturedStream(isTTY)];
    const output = outputTo({ stdout, stderr, env: {} });
    output.text("\u001b[2Jcleared");
    output.table([{ head: "name" }], [["\u001b[31mred"]]);
    output.note("\u009b2J\u0007");
    expect(stdout.text).toContain("\\u001b[2Jcleared\n");
    expect(stdout.text).toContain("\\u001b[31mred\n");
    expect(stderr.text).toBe("\\u009b2J\\u0007\n");
  }
});

it("a styled note is plain if stderr is a file, although stdout is a terminal", () => {
  const [stdout, stderr] = [new CapturedStream(true), new CapturedStream()];
  const output = outputTo({ stdout, stderr, env: {} });
  output.note(output.style.red("failed"));
  expect(stderr.text).toBe("failed\n");
});

it.each([
  ["COLUMNS", { COLUMNS: "20" }, false, 20],
  ["the terminal", {}, true, 30],
  ["COLUMNS rather than the terminal", { COLUMNS: "20" }, true, 20],
  ["no limit, into a pipe", { COLUMNS: "wide" }, false, 200],
])("a table's width is limited by: %s", (_, env, isTTY, width) => {
  const stdout = new CapturedStream(isTTY, 30);
  const output = outputTo({ stdout, stderr: new CapturedStream(), env: { ...env, NO_COLOR: "1" } });
  const key = "acme/nightly-regression-of-everything/report.html";
  output.table([{ head: "key", narrow: "shorten" }], [[key]]);
  const [, row = ""] = stdout.text.split("\n");
  expect(row.length).toBe(Math.min(width, key.length));
  // Other text is not cut, so that a command in it can be copied.
  output.text(key);
  expect(stdout.text).toContain(`${key}\n`);
});

it("list writes a table with the widths of its first rows, or a line of JSON for each item", async () => {
  async function* items() {
    for (let index = 0; index < 250; index += 1) yield { index };
  }
  const columns = [{ head: "n", align: "right" as const }, { head: "what" }];
  const shown = capturedOutput();
  await expect(shown.list(columns, items(), ({ index }) => [String(index), "x"])).resolves.toBe(250);
  const lines = shown.stdout.text.trimEnd().split("\n");
  expect([lines.length, lines[0], lines[1], lines.at(-1)]).toEqual([251, "  n  what", "  0  x", "249  x"]);
  const json = capturedOutput(true);
  await json.list(columns, items(), () => []);
  expect(json.stdout.text.split("\n").slice(0, 2)).toEqual(['{"index":0}', '{"index":1}']);
  const none = capturedOutput();
  await expect(none.list(columns, [], () => [])).resolves.toBe(0);
  expect(none.stdout.text).toBe("");
});

it("list stops when stdout is closed", async () => {
  const output = capturedOutput(true);
  let read = 0;
  function* endless() {
    for (;;) {
      read += 1;
      if (read === 3) output.stdout.emit("error", Object.assign(new Error(), { code: "EPIPE" }));
      yield read;
    }
  }
  await output.list([], endless(), () => []);
  expect(output.stdout.text).toBe("1\n2\n");
});
