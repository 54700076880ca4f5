import { expect, it } from "vitest";
import { CapturedStream, capturedOutput } from "../../../testing/cli/captured-output.ts";
import { outputTo } from "./output.ts";

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

it("stdout has text or JSON, never both, and stderr has the note", () => {
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

it("text of others reaches neither stream as anything that a terminal obeys", () => {
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

it("what is red on a terminal is plain in a file, though the other stream is a terminal", () => {
  const [stdout, stderr] = [new CapturedStream(true), new CapturedStream()];
  const output = outputTo({ stdout, stderr, env: {} });
  output.note(output.style.red("failed"));
  expect(stderr.text).toBe("failed\n");
});

it.each([
  ["COLUMNS", { COLUMNS: "20" }, false, 20],
  ["the terminal", {}, true, 30],
  ["COLUMNS rather than the terminal", { COLUMNS: "20" }, true, 20],
  ["nothing, into a pipe", { COLUMNS: "wide" }, false, 200],
])("a table is as wide as %s allows", (_, env, isTTY, width) => {
  const stdout = new CapturedStream(isTTY, 30);
  const output = outputTo({ stdout, stderr: new CapturedStream(), env: { ...env, NO_COLOR: "1" } });
  const key = "acme/nightly-regression-of-everything/report.html";
  output.table([{ head: "key", narrow: "shorten" }], [[key]]);
  const [, row = ""] = stdout.text.split("\n");
  expect(row.length).toBe(Math.min(width, key.length));
  // What is no table is the terminal's to fold: a command that it shows can still be copied.
  output.text(key);
  expect(stdout.text).toContain(`${key}\n`);
});

it("a list is a table whose first rows decide the widths, and JSON a line an item", async () => {
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

it("a list ends with its reader", async () => {
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
