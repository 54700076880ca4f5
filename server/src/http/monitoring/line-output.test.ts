import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LineOutput } from "./line-output.ts";

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "tierkeep-lines-"));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

const report = (dropped: number) => `dropped ${dropped}\n`;

/** Returns everything that the pipe holds now. */
function drain(reader: number): string {
  const buffer = Buffer.alloc(64 * 1024);
  let text = "";
  for (;;) {
    try {
      const count = readSync(reader, buffer);
      if (count === 0) return text;
      text += buffer.toString("latin1", 0, count);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return text;
      throw error;
    }
  }
}

describe("LineOutput", () => {
  it("writes lines in order", async () => {
    const file = openSync(join(dir, "file"), "w");
    const output = new LineOutput(file, report);
    const lines = Array.from({ length: 100 }, (_, index) => `line ${index}\n`);
    for (const line of lines) output.write(line);
    await output.flush(10_000);
    expect(readFileSync(join(dir, "file"), "utf8")).toBe(lines.join(""));
    expect(output.dropped).toBe(0);
    closeSync(file);
  });

  it("counts and drops the lines for a full disk, with one attempt each", async () => {
    const full = openSync("/dev/full", "w");
    const output = new LineOutput(full, report);
    for (let index = 0; index < 3; index += 1) {
      output.write("one\ntwo\n");
      await output.flush(10_000);
    }
    expect(output.dropped).toBe(6);
    closeSync(full);
  });

  it("buffers a limited part for a full pipe, and reports the rest when it works again", async () => {
    const pipe = join(dir, "pipe");
    execFileSync("mkfifo", [pipe]);
    const reader = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    const output = new LineOutput(reader, report);
    const line = `${"x".repeat(1023)}\n`;
    for (let index = 0; index < 3000; index += 1) output.write(line);
    const { dropped } = output;
    expect(dropped).toBeGreaterThan(500);
    expect(dropped).toBeLessThan(2500);
    await output.flush(1);
    let text = "";
    await expect
      .poll(() => {
        text += drain(reader);
        return text.endsWith(`dropped ${dropped}\n`);
      })
      .toBe(true);
    expect(text.split("\n").length).toBe(3000 - dropped + 2);
    expect(output.dropped).toBe(dropped);
    closeSync(reader);
  });
});
