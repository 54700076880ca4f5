import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { describe, expect, it } from "vitest";
import { EngineStore, keyOf, TEST_ADMIN } from "../../testing/stores/engine-store.ts";

const view = (store: EngineStore, ...path: string[]) => join(store.root, ...path);

describe("Upkeep", () => {
  it("settles, publishes and collects soon after a commit", async () => {
    await using store = await EngineStore.open({ upkeepByItself: true });
    await store.write(keyOf("a"), Buffer.from("one"));
    await store.write(keyOf("a"), Buffer.from("two"));
    const published = view(store, "hot", "acme", "nightly", "a");
    await expect.poll(() => readdirSync(store.root, { recursive: true })).toContain("hot/acme/nightly/a");
    await expect.poll(() => readFileSync(published, "utf8")).toBe("two");
    await expect.poll(() => store.objects()).toHaveLength(1);
    const { object } = await store.row(keyOf("a"));
    expect(statSync(published).ino).toBe(statSync(store.objectPath(object)).ino);
  });

  it("deletes no object while a backup pins them, and does so afterwards", async () => {
    let mayCollect = false;
    await using store = await EngineStore.open({ upkeepByItself: true, mayCollect: () => mayCollect });
    await store.write(keyOf("a"), Buffer.from("one"));
    await store.engine.drain();
    await store.write(keyOf("a"), Buffer.from("two"));
    expect(await store.engine.drain()).toBe(true);
    expect(await store.objects()).toHaveLength(2);
    mayCollect = true;
    await expect.poll(() => store.objects(), { timeout: 15_000 }).toHaveLength(1);
  });

  it("publishes the client's metadata with the system's facts", async () => {
    await using store = await EngineStore.open();
    const { artifact } = await store.write(keyOf("a"), Buffer.from("x"), {
      metadata: { author: "Alice", n: [1] },
    });
    await store.engine.drain();
    const sidecar = JSON.parse(
      readFileSync(view(store, "hot", "acme", "nightly", "a.metadata.json"), "utf8"),
    );
    expect(sidecar).toEqual({
      author: "Alice",
      n: [1],
      _created_at: "2026-01-01T00:00:00.000Z",
      _modified_at: "2026-01-01T00:00:00.000Z",
      _checksum: artifact.checksum,
      _size_bytes: 1,
      _content_type: "application/octet-stream",
      _version: artifact.version,
      _age_since: "2026-01-01T00:00:00.000Z",
      _object: (await store.row(keyOf("a"))).object,
    });
  });

  it("publishes all other keys while one fails, and that one once it can", async () => {
    await using store = await EngineStore.open();
    renameSync(view(store, "warm"), view(store, "elsewhere"));
    writeFileSync(view(store, "warm"), "not a folder");
    await store.write(keyOf("stuck"), Buffer.from("x"), { tier: "WARM" });
    await store.write(keyOf("a"), Buffer.from("x"));
    expect(await store.engine.drain()).toBe(false);
    expect(readFileSync(view(store, "hot", "acme", "nightly", "a"), "utf8")).toBe("x");
    expect(store.problems.join()).toContain("stuck");
    expect(
      (await store.engine.artifacts.bytes(TEST_ADMIN, await store.row(keyOf("stuck"))))?.toString(),
    ).toBe("x");
    renameSync(view(store, "warm"), view(store, "mistake"));
    renameSync(view(store, "elsewhere"), view(store, "warm"));
    expect(await store.engine.drain()).toBe(true);
    expect(readFileSync(view(store, "warm", "acme", "nightly", "stuck"), "utf8")).toBe("x");
  });

  it("makes writers wait while the backlog is full, refuses them while a tier fails, and then admits them again", async () => {
    await using store = await EngineStore.open({ backlogBytes: 100_000 });
    const objects = view(store, ".tierkeep", "objects");
    renameSync(objects, view(store, "unplugged"));
    for (const id of ["a", "b"]) await store.write(keyOf(id), Buffer.alloc(50_000));
    expect(await store.engine.drain()).toBe(false);
    expect(store.engine.backlogBytes).toBe(100_000);
    await expect(store.write(keyOf("c"), Buffer.from("x"))).rejects.toMatchObject({
      code: "TIER_UNAVAILABLE",
    });
    await expect(store.write(keyOf("d"), Buffer.alloc(200_000))).rejects.toMatchObject({
      code: "TIER_UNAVAILABLE",
    });
    expect((await store.engine.artifacts.bytes(TEST_ADMIN, await store.row(keyOf("a"))))?.byteLength).toBe(
      50_000,
    );
    renameSync(view(store, "unplugged"), objects);
    expect(await store.engine.drain()).toBe(true);
    await store.write(keyOf("c"), Buffer.from("x"));
    expect(await store.catalog.artifact(keyOf("d"))).toBeNull();
  });
});

it("close does not wait for work that fails repeatedly", async () => {
  await using store = await EngineStore.open();
  renameSync(view(store, ".tierkeep", "objects"), view(store, "unplugged"));
  await store.write(keyOf("a"), Buffer.from("x"));
  const tomorrow = Date.now() + 24 * 60 * 60 * 1000;
  await store.engine.close(tomorrow);
  expect(store.problems.filter((problem) => problem.startsWith("settle")).length).toBeGreaterThan(1);
});

describe("a purge", () => {
  it("is refused while the audit log cannot be written, unlike a dry purge and other calls", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), Buffer.from("x"));
    store.refusal = new Refused("UNAVAILABLE", "the audit log cannot be written");
    await expect(store.engine.artifacts.purge(TEST_ADMIN, { ...keyOf("a"), dryRun: false })).rejects.toBe(
      store.refusal,
    );
    await store.engine.artifacts.purge(TEST_ADMIN, { ...keyOf("a"), dryRun: true });
    await store.engine.artifacts.promote(TEST_ADMIN, { ...keyOf("a"), toTier: "COLD", dryRun: false });
    store.refusal = null;
    await store.engine.artifacts.purge(TEST_ADMIN, { ...keyOf("a"), dryRun: false });
    expect(await store.catalog.artifact(keyOf("a"))).toBeNull();
  });

  it("deletes the artifact's files in the view and its object", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), Buffer.alloc(100_000));
    await store.engine.drain();
    await store.engine.artifacts.purge(TEST_ADMIN, { ...keyOf("a"), dryRun: false });
    await store.engine.drain();
    expect(await store.objects()).toEqual([]);
    expect(readdirSync(view(store, "hot", "acme", "nightly"))).toEqual([]);
  });
});

describe("a nested artifact", () => {
  const tree = (store: EngineStore, ...path: string[]) =>
    readdirSync(view(store, "hot", "acme", "nightly", ...path), { recursive: true })
      .map(String)
      .filter((name) => !name.endsWith(".metadata.json"))
      .sort();

  it("is published where an artifact was a file, which becomes a file in the folder of its name", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("a"), Buffer.from("a"));
    expect(await store.engine.drain()).toBe(true);
    expect(tree(store)).toEqual(["a"]);
    await store.write(keyOf("a/b/c"), Buffer.from("c"));
    expect(await store.engine.drain()).toBe(true);
    expect(tree(store)).toEqual(["a", "a/.file", "a/b", "a/b/c"]);
    expect(readFileSync(view(store, "hot", "acme", "nightly", "a", ".file"), "utf8")).toBe("a");
    await store.write(keyOf("a/b"), Buffer.from("b"));
    await store.write(keyOf("a"), Buffer.from("a2"));
    expect(await store.engine.drain()).toBe(true);
    expect(tree(store)).toEqual(["a", "a/.file", "a/b", "a/b/.file", "a/b/c"]);
    expect(readFileSync(view(store, "hot", "acme", "nightly", "a", ".file"), "utf8")).toBe("a2");
    expect(store.problems).toEqual([]);
  });

  it("is published in one pass with hundreds of others that one file blocks", async () => {
    await using store = await EngineStore.open();
    const count = 300;
    await store.write(keyOf("a"), Buffer.from("a"));
    await store.engine.drain();
    const ids = Array.from({ length: count }, (_, index) => `a/${index}`);
    for (const id of ids) await store.write(keyOf(id), Buffer.from(id));
    expect(await store.engine.drain()).toBe(true);
    expect(tree(store)).toHaveLength(count + 2);
    expect(await store.engine.catalog.dirtyCount()).toBe(0);
  });

  it("is published where an artifact moved or was purged in the same pass", async () => {
    await using store = await EngineStore.open();
    for (const id of ["moved", "purged"]) await store.write(keyOf(id), Buffer.from(id));
    await store.engine.drain();
    await store.write(keyOf("moved/b"), Buffer.from("b"));
    await store.write(keyOf("purged/b"), Buffer.from("b"));
    await store.engine.artifacts.promote(TEST_ADMIN, { ...keyOf("moved"), toTier: "WARM", dryRun: false });
    await store.engine.artifacts.purge(TEST_ADMIN, { ...keyOf("purged"), dryRun: false });
    expect(await store.engine.drain()).toBe(true);
    expect(tree(store)).toEqual(["moved", "moved/b", "purged", "purged/b"]);
    expect(readFileSync(view(store, "warm", "acme", "nightly", "moved"), "utf8")).toBe("moved");
    expect(store.problems).toEqual([]);
  });

  it("has a file in its way moved to quarantine that is no artifact's", async () => {
    await using store = await EngineStore.open();
    await store.write(keyOf("other"), Buffer.from("x"));
    await store.engine.drain();
    writeFileSync(view(store, "hot", "acme", "nightly", "a"), "foreign");
    await store.write(keyOf("a/b"), Buffer.from("b"));
    expect(await store.engine.drain()).toBe(true);
    expect(tree(store)).toEqual(["a", "a/b", "other"]);
    expect(store.problems.join()).toContain("hot/acme/nightly/a, is now .tierkeep/quarantine/");
    const [quarantined = ""] = readdirSync(view(store, ".tierkeep", "quarantine"));
    expect(readFileSync(view(store, ".tierkeep", "quarantine", quarantined), "utf8")).toBe("foreign");
  });
});

it("quarantines and reports foreign files in the view", async () => {
  await using store = await EngineStore.open();
  mkdirSync(view(store, "hot", "acme", "nightly"), { recursive: true });
  writeFileSync(view(store, "hot", "acme", "nightly", "a"), "mine");
  await store.write(keyOf("a"), Buffer.from("x"));
  await store.engine.drain();
  const [kept] = readdirSync(view(store, ".tierkeep", "quarantine"));
  expect(readFileSync(view(store, ".tierkeep", "quarantine", kept ?? ""), "utf8")).toBe("mine");
  expect(store.problems.join()).toContain("hot/acme/nightly/a");
});
