import { chmodSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ArtifactContent } from "@tierkeep/schema/services/artifacts";
import { describe, expect, it } from "vitest";
import { EngineStore, keyOf, TEST_ADMIN } from "../../testing/stores/engine-store.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { Reader } from "./read.ts";

const LARGE = 3 * 1024 * 1024;

async function bytesOf(content: ArtifactContent | null): Promise<Buffer> {
  if (!content) throw new Error("nothing was opened");
  return Buffer.concat(await Array.fromAsync(content.body));
}

function flipByte(path: string, position: number): void {
  const bytes = readFileSync(path);
  bytes[position] = (bytes[position] ?? 0) ^ 1;
  chmodSync(path, 0o600);
  writeFileSync(path, bytes);
}

function cutOff(path: string): void {
  chmodSync(path, 0o600);
  truncateSync(path, 99_999);
}

async function scanErrors({ catalog }: EngineStore) {
  const all = { after: null, before: null, limit: 100, backward: false };
  return catalog.listEvents({ types: ["SCAN_ERROR"] }, "ASC", all);
}

describe("a read", () => {
  it.each([
    ["is inline", 10],
    ["is an object", 200_000],
    ["is long", LARGE],
  ])("returns the written content when it %s, with and without a range", async (_where, sizeBytes) => {
    await using store = await EngineStore.open();
    const content = Buffer.from(Array.from({ length: sizeBytes }, (_, index) => index % 251));
    await store.write(keyOf("a"), content);
    const whole = await store.engine.artifacts.open(TEST_ADMIN, keyOf("a"));
    expect(whole?.sizeBytes).toBe(sizeBytes);
    expect((await bytesOf(whole)).equals(content)).toBe(true);
    const part = await store.engine.artifacts.open(TEST_ADMIN, keyOf("a"), () => ({ start: 2, end: 5 }));
    expect(part?.sizeBytes).toBe(4);
    expect(await bytesOf(part)).toEqual(content.subarray(2, 6));
    await store.engine.drain();
    expect((await bytesOf(await store.engine.artifacts.open(TEST_ADMIN, keyOf("a")))).equals(content)).toBe(
      true,
    );
  });

  it("of a missing artifact returns null", async () => {
    await using store = await EngineStore.open();
    expect(await store.engine.artifacts.open(TEST_ADMIN, keyOf("a"))).toBeNull();
  });

  it("returns its first version to the end, though the artifact is replaced, purged and collected", async () => {
    await using store = await EngineStore.open();
    const first = Buffer.alloc(LARGE, 1);
    await store.write(keyOf("a"), first);
    const reading = await store.engine.artifacts.open(TEST_ADMIN, keyOf("a"));
    await store.write(keyOf("a"), Buffer.alloc(LARGE, 2));
    await store.engine.artifacts.purge(TEST_ADMIN, { ...keyOf("a"), dryRun: false });
    await store.engine.drain();
    expect(await store.objects()).toEqual([]);
    expect((await bytesOf(reading)).equals(first)).toBe(true);
  });

  it("returns the newer content when its object was collected after a replacement", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), Buffer.alloc(100_000, 1));
    const stale = await store.catalog.content(keyOf("a"));
    await store.write(keyOf("a"), Buffer.alloc(100_000, 2));
    await store.engine.drain();
    let asked = 0;
    const late: Catalog = new Proxy(store.catalog, {
      get: (target, property) =>
        property === "content" && asked++ === 0 ? async () => stale : Reflect.get(target, property, target),
    });
    const reader = new Reader({
      catalog: late,
      clock: { now: () => store.now },
      stores: store.tiers.stores,
      onDamage: () => {},
    });
    expect((await bytesOf(await reader.open(keyOf("a"))))[0]).toBe(2);
    expect(asked).toBe(2);
    expect(await scanErrors(store)).toEqual([]);
  });

  it("of one version returns null after the content has changed", async () => {
    await using store = await EngineStore.open();
    const { artifact } = await store.write(keyOf("a"), Buffer.from("one"));
    expect((await store.engine.artifacts.bytes(TEST_ADMIN, artifact))?.toString()).toBe("one");
    await store.write(keyOf("a"), Buffer.from("two"));
    expect(await store.engine.artifacts.bytes(TEST_ADMIN, artifact)).toBeNull();
  });
});

describe("a read of damaged content", () => {
  it("fails before the first byte of a short object", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), Buffer.alloc(100_000));
    flipByte(store.objectPath((await store.row(keyOf("a"))).object), 50_000);
    await expect(store.engine.artifacts.open(TEST_ADMIN, keyOf("a"))).rejects.toMatchObject({
      code: "CHECKSUM_MISMATCH",
    });
  });

  it("never completes the body of a long object", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), Buffer.alloc(LARGE));
    flipByte(store.objectPath((await store.row(keyOf("a"))).object), 10);
    const content = await store.engine.artifacts.open(TEST_ADMIN, keyOf("a"));
    let received = 0;
    const consume = async () => {
      for await (const chunk of content?.body ?? []) received += chunk.byteLength;
    };
    await expect(consume()).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
    expect(received).toBeLessThan(LARGE);
  });

  it.each([
    ["cut off", cutOff],
    ["gone", rmSync],
  ])("fails for an object that is %s", async (_how, harm) => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), Buffer.alloc(100_000));
    harm(store.objectPath((await store.row(keyOf("a"))).object));
    await expect(store.engine.artifacts.open(TEST_ADMIN, keyOf("a"))).rejects.toMatchObject({
      code: "CHECKSUM_MISMATCH",
    });
    expect(await scanErrors(store)).toHaveLength(1);
  });

  it("fails for inline content, too", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), Buffer.from("right"));
    const db = new DatabaseSync(join(store.root, ".tierkeep", "catalog.db"));
    db.prepare("UPDATE inline_bytes SET bytes = ?").run(Buffer.from("wrong"));
    db.close();
    await expect(store.engine.artifacts.open(TEST_ADMIN, keyOf("a"))).rejects.toMatchObject({
      code: "CHECKSUM_MISMATCH",
    });
  });

  it("writes one event per object, however often it is read", async () => {
    await using store = await EngineStore.open();
    for (const turn of [1, 2]) {
      await store.write(keyOf("a"), Buffer.alloc(100_000, turn));
      flipByte(store.objectPath((await store.row(keyOf("a"))).object), 0);
      for (const _ of [1, 2, 3]) {
        await expect(store.engine.artifacts.open(TEST_ADMIN, keyOf("a"))).rejects.toThrow();
      }
      const events = await scanErrors(store);
      expect(events).toHaveLength(turn);
      expect(events.at(-1)).toMatchObject({ ...keyOf("a"), errorCode: "CHECKSUM_MISMATCH", actor: "system" });
    }
    expect(store.damaged).toHaveLength(6);
  });

  it("affects no other artifact, and succeeds after a new write", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), Buffer.alloc(100_000, 1));
    await store.write(keyOf("b"), Buffer.alloc(100_000, 2));
    rmSync(store.objectPath((await store.row(keyOf("a"))).object));
    await expect(store.engine.artifacts.open(TEST_ADMIN, keyOf("a"))).rejects.toThrow();
    expect((await bytesOf(await store.engine.artifacts.open(TEST_ADMIN, keyOf("b"))))[0]).toBe(2);
    await store.write(keyOf("a"), Buffer.alloc(100_000, 3));
    expect((await bytesOf(await store.engine.artifacts.open(TEST_ADMIN, keyOf("a"))))[0]).toBe(3);
  });
});
