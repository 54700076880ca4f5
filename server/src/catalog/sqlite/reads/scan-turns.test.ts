import { describe, expect, it } from "vitest";
import { type ScanEnd, ScanTurns } from "./scan-turns.ts";
import type { Steps } from "./steps.ts";

/** Scans that record each of their steps; a step takes longer than a slice. */
function turnsUnderTest() {
  const steps: string[] = [];
  const snapshots: string[] = [];
  const turns = new ScanTurns({ begin: () => snapshots.push("begin"), end: () => snapshots.push("end") });
  let nextId = 1;
  function* scan(name: string, count: number): Steps<string> {
    for (let step = 1; step <= count; step += 1) {
      steps.push(`${name}.${step}`);
      const began = performance.now();
      while (performance.now() - began < 11);
      yield 100;
    }
    return name;
  }
  return {
    steps,
    snapshots,
    turns,
    start(name: string, count: number, maxRows: number | null = null) {
      const id = nextId++;
      const end = new Promise<ScanEnd>((ended, failed) =>
        turns.add({ id, owner: name.slice(0, 1), steps: scan(name, count), maxRows, ended, failed }),
      );
      return { id, end };
    },
  };
}

describe("ScanTurns", () => {
  it("runs owners in turn: many scans of one owner delay another's by one step", async () => {
    const { steps, start } = turnsUnderTest();
    const scans = [start("a1", 3), start("a2", 3), start("b1", 2)];
    await Promise.all(scans.map(({ end }) => end));
    expect(steps).toEqual(["a1.1", "b1.1", "a1.2", "b1.2", "a1.3", "a2.1", "a2.2", "a2.3"]);
  });

  it("starts a new snapshot for each change of scan, and keeps none when all have ended", async () => {
    const { snapshots, start } = turnsUnderTest();
    await Promise.all([start("a1", 2).end, start("b1", 1).end]);
    expect(snapshots.filter((what) => what === "begin").length).toBeGreaterThanOrEqual(3);
    expect(snapshots.at(-1)).toBe("end");
  });

  it("drops abandoned scans, waiting or running", async () => {
    const { steps, turns, start } = turnsUnderTest();
    const [running, waiting, last] = [start("a1", 1_000), start("a2", 1), start("a3", 1)];
    while (steps.length < 2) await new Promise(setImmediate);
    turns.abandon(waiting.id);
    turns.abandon(running.id);
    expect(await last.end).toEqual({ ok: true, value: "a3", rows: 100 });
    expect(steps.filter((step) => step.startsWith("a2"))).toEqual([]);
    expect(steps.at(-1)).toBe("a3.1");
    expect(steps.length).toBeLessThan(10);
  });

  it("ends a scan that exceeds its rows, and continues with the next one", async () => {
    const { start } = turnsUnderTest();
    const [limited, next] = [start("a1", 10, 250), start("a2", 2, 250)];
    expect(await limited.end).toEqual({ ok: false, rows: 300 });
    expect(await next.end).toEqual({ ok: true, value: "a2", rows: 200 });
  });

  it("continues after a scan that fails", async () => {
    const { turns, start } = turnsUnderTest();
    // biome-ignore lint/correctness/useYield: it fails before its first step
    function* failing(): Steps<never> {
      throw new Error("the disk failed");
    }
    const failure = new Promise((ended, failed) =>
      turns.add({ id: 99, owner: "x", steps: failing(), maxRows: null, ended, failed }),
    );
    const next = start("x2", 1);
    await expect(failure).rejects.toThrow("the disk failed");
    expect(await next.end).toMatchObject({ ok: true });
  });
});
