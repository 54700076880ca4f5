import { describe, expect, it } from "vitest";
import { batch, key, lifecycleJob, newObject, write } from "../../../../testing/catalog/sample-changes.ts";
import type { Change } from "../../changes.ts";
import { GroupQueue } from "./group-queue.ts";
import type { GroupResult } from "./writer.ts";

const collected = (): Change => ({ kind: "collected", object: newObject() });

/** Returns a writer that blocks until the test lets it return. */
function blockedWriter() {
  const groups: {
    readonly changes: readonly Change[];
    readonly answer: (result?: Partial<GroupResult>) => void;
    readonly fail: (error: Error) => void;
  }[] = [];
  const committed: number[] = [];
  const queue = new GroupQueue(
    (changes) =>
      new Promise((resolve, fail) => {
        const outcomes = changes.map(() => ({ ok: true, result: null }) as const);
        groups.push({ changes, answer: (result) => resolve({ outcomes, lastSeq: null, ...result }), fail });
      }),
    (seq) => committed.push(seq),
  );
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return { queue, groups, committed, turn };
}

describe("GroupQueue", () => {
  it("groups the changes of one turn, and those that arrive while it runs into the next group", async () => {
    const { queue, groups, turn } = blockedWriter();
    const changes = Array.from({ length: 5 }, collected);
    const answers = changes.slice(0, 2).map((change) => queue.submit(change));
    await turn();
    answers.push(...changes.slice(2).map((change) => queue.submit(change)));
    await turn();
    expect(groups.map((group) => group.changes)).toEqual([changes.slice(0, 2)]);
    groups[0]?.answer();
    await turn();
    expect(groups.map((group) => group.changes)).toEqual([changes.slice(0, 2), changes.slice(2)]);
    groups[1]?.answer();
    expect(await Promise.all(answers)).toEqual(Array(5).fill({ ok: true, result: null }));
  });

  it("limits a group by the artifacts that its batches process, and takes one batch of any size", async () => {
    const { queue, groups, turn } = blockedWriter();
    const batchOf = (count: number) =>
      batch(lifecycleJob(), "PURGE", Array(count).fill({ ...key("a/w/1"), planned: null }));
    const changes = [batchOf(300), collected(), batchOf(200), batchOf(600), collected()];
    const answers = changes.map((change) => queue.submit(change));
    for (let group = 0; group < 4; group += 1) {
      await turn();
      groups[group]?.answer();
    }
    await Promise.all(answers);
    expect(groups.map((group) => group.changes)).toEqual([
      changes.slice(0, 2),
      changes.slice(2, 3),
      changes.slice(3, 4),
      changes.slice(4),
    ]);
  });

  it("limits a group by changes and by inline bytes", async () => {
    const { queue, groups, turn } = blockedWriter();
    const bytes = new Uint8Array(3 * 1024 * 1024);
    const huge = new Uint8Array(9 * 1024 * 1024);
    const writes = [bytes, bytes, bytes, huge].map((some) => ({ ...write("a/w/1"), bytes: some }));
    const answers = [...Array.from({ length: 70 }, collected), ...writes].map((change) =>
      queue.submit(change),
    );
    for (let group = 0; group < 4; group += 1) {
      await turn();
      groups[group]?.answer();
    }
    await Promise.all(answers);
    expect(groups.map((group) => group.changes.length)).toEqual([64, 8, 1, 1]);
  });

  it("reports the newest seq after each group that wrote events", async () => {
    const { queue, groups, committed, turn } = blockedWriter();
    const first = queue.submit(collected());
    await turn();
    groups[0]?.answer({ lastSeq: 7 });
    await first;
    const second = queue.submit(collected());
    await turn();
    groups[1]?.answer();
    await second;
    expect(committed).toEqual([7]);
  });

  it("fails only the group whose writer failed", async () => {
    const { queue, groups, turn } = blockedWriter();
    const lost = queue.submit(collected());
    await turn();
    const next = queue.submit(collected());
    groups[0]?.fail(new Error("gone"));
    await expect(lost).rejects.toThrow("gone");
    await turn();
    groups[1]?.answer();
    expect(await next).toMatchObject({ ok: true });
  });

  it("finishes its changes before it closes, and refuses new ones", async () => {
    const { queue, groups, turn } = blockedWriter();
    const last = queue.submit(collected());
    const closing = queue.close("closed for the night");
    await expect(queue.submit(collected())).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: "closed for the night",
    });
    await turn();
    groups[0]?.answer();
    expect(await last).toMatchObject({ ok: true });
    await closing;
  });
});
