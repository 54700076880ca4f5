import { describe, expect, it } from "vitest";
import { BatchTurns } from "./batch-turns.ts";

/** Batches that record their names when they start, and end on request. */
function batches(turns: BatchTurns) {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    started,
    start(name: string, signal = new AbortController().signal): Promise<string | undefined> {
      return turns.run(name.slice(0, 1), signal, () => {
        started.push(name);
        return new Promise((resolve) => ends.set(name, () => resolve(name)));
      });
    },
    async end(name: string): Promise<void> {
      ends.get(name)?.();
      await new Promise(setImmediate);
    },
  };
}

describe("BatchTurns", () => {
  it("runs a limited number of batches concurrently and gives the next turn to the owner that has waited longest", async () => {
    const { started, start, end } = batches(new BatchTurns(2));
    for (const name of ["a1", "a2", "a3", "a4", "b1"]) void start(name);
    await end("none");
    expect(started).toEqual(["a1", "a2"]);
    await end("a1");
    await end("a2");
    expect(started).toEqual(["a1", "a2", "a3", "b1"]);
    await end("b1");
    expect(started).toEqual(["a1", "a2", "a3", "b1", "a4"]);
  });

  it("does not run a batch whose signal aborts while it waits", async () => {
    const { started, start, end } = batches(new BatchTurns(1));
    const stop = new AbortController();
    void start("a1");
    const second = start("b1", stop.signal);
    stop.abort();
    expect(await second).toBeUndefined();
    expect(await start("b2", stop.signal)).toBeUndefined();
    await end("a1");
    void start("c1");
    await end("none");
    expect(started).toEqual(["a1", "c1"]);
  });
});
