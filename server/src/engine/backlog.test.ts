import { Refused } from "@tierkeep/schema/domain/refusals";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Backlog } from "./backlog.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const done = () => Promise.resolve("done");
const never = () => new Promise<never>(() => {});

describe("Backlog", () => {
  it("admits writes immediately while there is space, and counts pending ones", async () => {
    const backlog = new Backlog(100);
    void backlog.admit(60, never);
    await expect(backlog.admit(40, done)).resolves.toBe("done");
    expect(backlog.bytes).toBe(100);
  });

  it("releases the space of a refused write", async () => {
    const backlog = new Backlog(100);
    await expect(backlog.admit(60, () => Promise.reject(new Error("refused")))).rejects.toThrow("refused");
    expect(backlog.bytes).toBe(0);
  });

  it("admits one write that is larger than the limit into an empty backlog", async () => {
    await expect(new Backlog(10).admit(50, done)).resolves.toBe("done");
  });

  it("makes writers wait until there is space", async () => {
    const backlog = new Backlog(100);
    await backlog.admit(100, done);
    let answered = false;
    const waiting = backlog.admit(10, done).then(() => {
      answered = true;
    });
    await vi.advanceTimersByTimeAsync(4000);
    expect(answered).toBe(false);
    backlog.refresh(80, null);
    await waiting;
    expect(answered).toBe(true);
    expect(backlog.bytes).toBe(90);
  });

  it.each([
    [null, "TIER_UNAVAILABLE"],
    [new Refused("TIER_UNAVAILABLE", "disk gone"), "TIER_UNAVAILABLE"],
    [new Refused("STORAGE_FULL", "disk full"), "STORAGE_FULL"],
  ] as const)("refuses a writer that has waited for 5 s, with the reason", async (trouble, code) => {
    const backlog = new Backlog(100);
    await backlog.admit(100, done);
    backlog.refresh(100, trouble);
    const refused = expect(backlog.admit(10, done)).rejects.toMatchObject({ code });
    await vi.advanceTimersByTimeAsync(5000);
    await refused;
    expect(backlog.bytes).toBe(100);
  });

  it("wakes no more writers than there is space for", async () => {
    const backlog = new Backlog(100);
    await backlog.admit(100, done);
    const admitted: number[] = [];
    const writers = [1, 2, 3].map((n) =>
      backlog.admit(40, async () => {
        admitted.push(n);
      }),
    );
    backlog.refresh(0, null);
    await Promise.all(writers.slice(0, 2));
    expect(admitted).toEqual([1, 2]);
    backlog.refresh(0, null);
    await writers[2];
  });
});
