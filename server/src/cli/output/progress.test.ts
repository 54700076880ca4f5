import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CapturedStream } from "../../../testing/cli/captured-output.ts";
import { Meter, progressLine, startProgress } from "./progress.ts";

const ERASE = "\r\u001b[2K";

describe("progressLine", () => {
  it.each([
    [
      "bytes",
      { done: 3 * 2 ** 20, total: 12 * 2 ** 20, rate: 2 ** 20 },
      "Reading a  ██████░░░░░░░░░░░░░░░░░░   25 %  3 MiB of 12 MiB  1 MiB/s  9 s left",
    ],
    ["bytes", { done: 2_048, total: null, rate: 1_024 }, "Reading a  2 KiB  1 KiB/s"],
    [
      "files",
      { done: 7, total: 10, rate: 0.25 },
      "Reading a  ████████████████░░░░░░░░   70 %  7 of 10 files  0.3/s  12 s left",
    ],
    ["share", { done: 0.5, total: 1, rate: 0.01 }, "Reading a  ████████████░░░░░░░░░░░░   50 %  50 s left"],
    ["share", { done: 0, total: 1, rate: null }, "Reading a  ░░░░░░░░░░░░░░░░░░░░░░░░    0 %"],
    ["bytes", { done: 0, total: 0, rate: null }, "Reading a  0 B of 0 B"],
  ])("formats %s, %j", (unit, reading, line) => {
    expect(progressLine("Reading a", unit, reading)).toBe(line);
  });

  it("never shows more than 100 %", () => {
    const property = fc.property(fc.nat(), fc.nat(), (done, total) => {
      const percent = /(\d+) %/.exec(progressLine("", "bytes", { done, total, rate: 1 }))?.[1];
      expect(Number(percent ?? 0)).toBeLessThanOrEqual(100);
    });
    fc.assert(property);
  });
});

describe("Meter", () => {
  it("measures the rate of the last seconds, not of the total time", () => {
    const meter = new Meter(0);
    for (let second = 1; second <= 20; second += 1) meter.update(second * 100, null, second * 1_000);
    for (let second = 21; second <= 40; second += 1)
      meter.update(2_000 + (second - 20) * 10, null, second * 1_000);
    expect(meter.reading(40_000).rate).toBeCloseTo(10);
  });

  it("lowers the rate without updates, and has none before the first", () => {
    const meter = new Meter(0);
    expect(meter.reading(1_000).rate).toBeNull();
    meter.update(100, 200, 1_000);
    expect(meter.reading(1_000).rate).toBe(100);
    expect(meter.reading(4_000).rate).toBe(25);
  });

  it("measures the same rate with thousands of updates", () => {
    const meter = new Meter(0);
    for (let ms = 1; ms <= 3_000; ms += 1) meter.update(ms, null, ms);
    expect(meter.reading(3_000)).toEqual({ done: 3_000, total: null, rate: 1_000 });
  });
});

describe("startProgress", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("draws the line after one second and erases it at the end", () => {
    const terminal = new CapturedStream(true);
    const progress = startProgress("Reading", "bytes", terminal);
    progress.update(512, 2_048);
    vi.advanceTimersByTime(900);
    expect(terminal.text).toBe("");
    vi.advanceTimersByTime(300);
    expect(terminal.text).toContain(
      `${ERASE}Reading  ${"█".repeat(6)}${"░".repeat(18)}   25 %  512 B of 2 KiB`,
    );
    progress[Symbol.dispose]();
    expect(terminal.text.endsWith(ERASE)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("erases the line for other output, and draws it again", () => {
    const terminal = new CapturedStream(true);
    using progress = startProgress("Reading", "bytes", terminal);
    progress.update(1, 2);
    vi.advanceTimersByTime(1_000);
    progress.clear();
    terminal.write("{}\n");
    vi.advanceTimersByTime(200);
    expect(terminal.text).toContain(`${ERASE}{}\n${ERASE}Reading`);
  });

  it("draws nothing for work that ends within a second", () => {
    const terminal = new CapturedStream(true);
    {
      using progress = startProgress("Reading", "bytes", terminal);
      progress.update(1, 2);
      vi.advanceTimersByTime(800);
    }
    expect(terminal.text).toBe("");
  });

  it("cuts the line to the terminal's width", () => {
    const terminal = Object.assign(new CapturedStream(true), { columns: 20 });
    using progress = startProgress("Reading", "bytes", terminal);
    progress.update(1, 2);
    vi.advanceTimersByTime(1_100);
    for (const line of terminal.text.split(ERASE)) expect(line.length).toBeLessThan(20);
  });

  it("draws nothing if the stream is not a terminal", () => {
    const pipe = new CapturedStream();
    using progress = startProgress("Reading", "bytes", pipe);
    progress.update(1, 2);
    vi.advanceTimersByTime(5_000);
    expect(pipe.text).toBe("");
  });
});
