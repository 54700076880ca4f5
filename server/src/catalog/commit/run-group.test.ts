import { describe, expect, it } from "vitest";
import { once } from "../../../testing/catalog/idempotent-retries.ts";
import { MemoryRecords } from "../../../testing/catalog/memory-records.ts";
import { key, write } from "../../../testing/catalog/sample-changes.ts";
import type { Ref } from "../records.ts";
import { runGroup } from "./run-group.ts";

const FULL = { code: "STORAGE_FULL", message: "Full.", facts: {} } as const;

class CountingRecords extends MemoryRecords {
  readonly loads: (readonly Ref[])[] = [];

  override load(refs: readonly Ref[]) {
    this.loads.push(refs);
    return super.load(refs);
  }
}

describe("runGroup", () => {
  it("loads each record of independent changes once, all together", () => {
    const records = new CountingRecords();
    runGroup(records, [write("acme/daily/first")], null);
    records.loads.length = 0;
    runGroup(
      records,
      ["a", "b", "c"].map((name) => write(`acme/daily/${name}`)),
      null,
    );
    expect(records.loads.map((refs) => refs.map(([kind]) => kind))).toEqual([
      ["facts", "scope", "scope", "facts", "facts"],
    ]);
  });

  it("loads again for a change that reads a record of an earlier one", () => {
    const records = new CountingRecords();
    const changes = [
      write("acme/daily/a", { text: "one" }),
      write("acme/daily/a", { text: "two", ifAbsent: true }),
      write("acme/daily/a", { text: "three" }),
    ];
    const outcomes = runGroup(records, changes, null);
    expect(outcomes).toMatchObject([
      { ok: true, result: { created: true } },
      { ok: false, refusal: { code: "PRECONDITION_FAILED" } },
      { ok: true, result: { created: false, artifact: { version: 2 } } },
    ]);
    expect(records.loads).toHaveLength(2);
  });

  it("gives the version of a row the number of its event, after a refused change too", () => {
    const records = new MemoryRecords();
    runGroup(records, [write("acme/daily/first")], null);
    runGroup(
      records,
      [write("acme/daily/a", { ifChecksum: "f".repeat(64) }), write("acme/daily/b"), write("acme/daily/c")],
      null,
    );
    expect(records.events.map(({ seq, artifactId }) => [artifactId, seq])).toEqual([
      ["first", 1],
      ["b", 2],
      ["c", 3],
    ]);
    expect(records.get("facts", key("acme/daily/c"))?.version).toBe(3);
  });

  it("refuses changes that need space, while there is none, and stores no such refusal as an answer", () => {
    const records = new MemoryRecords();
    expect(runGroup(records, [write("acme/daily/a", { once: once() })], FULL)).toEqual([
      { ok: false, refusal: FULL },
    ]);
    expect(records.get("answer", once())).toBeNull();
    expect(records.events).toEqual([]);
  });

  it("returns the failure of a change that fails unexpectedly, which has no effect", () => {
    const records = new MemoryRecords();
    const broken = Object.defineProperty(write("acme/daily/a"), "metadata", {
      get: () => {
        throw new Error("unforeseen");
      },
    });
    const outcomes = runGroup(records, [broken, write("acme/daily/b")], null);
    expect(outcomes).toMatchObject([
      { ok: false, failure: expect.stringContaining("unforeseen") },
      { ok: true },
    ]);
    expect(records.all("artifact").map(({ artifactId }) => artifactId)).toEqual(["b"]);
  });
});
