import { describe, expect, it } from "vitest";
import { ExportLag } from "./export-lag.ts";

describe("ExportLag", () => {
  it("is the age of the oldest waiting event, or 0 if none waits", () => {
    const lag = new ExportLag();
    expect(lag.seconds(0)).toBe(0);
    lag.committed(1, 1_000);
    lag.committed(2, 5_000);
    expect(lag.seconds(7_000)).toBe(6);
    lag.exported(1);
    expect(lag.seconds(7_000)).toBe(2);
    lag.exported(2);
    expect(lag.seconds(7_000)).toBe(0);
  });

  it("treats an event of the same second as old as the first one, never younger", () => {
    const lag = new ExportLag();
    lag.committed(1, 0);
    lag.committed(2, 999);
    lag.exported(1);
    expect(lag.seconds(3_000)).toBe(3);
  });

  it("needs few marks for any duration, and never reports less than the actual lag", () => {
    const lag = new ExportLag();
    for (let second = 0; second < 10_000; second++) lag.committed(second + 1, second * 1_000);
    expect(lag.seconds(10_000_000)).toBe(10_000);
    lag.exported(5_000);
    expect(lag.seconds(10_000_000)).toBeGreaterThan(9_800);
    lag.exported(10_000);
    expect(lag.seconds(10_000_000)).toBe(0);
  });

  it("is not shortened by an older event that is reported late", () => {
    const lag = new ExportLag();
    lag.committed(5, 0);
    lag.committed(3, 10);
    lag.exported(3);
    expect(lag.seconds(2_000)).toBe(2);
  });
});
