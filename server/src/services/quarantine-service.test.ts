import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EngineStore, TEST_ADMIN } from "../../testing/stores/engine-store.ts";
import { EngineQuarantine } from "./quarantine-service.ts";

let outside: string;

beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), "tierkeep-outside-"));
});

afterEach(() => rmSync(outside, { recursive: true, force: true }));

async function withQuarantine() {
  const store = await EngineStore.open();
  const { engine, catalog } = store;
  const folder = join(store.root, ".tierkeep/quarantine");
  writeFileSync(join(outside, "kept"), "kept");
  writeFileSync(join(folder, "0001-file"), "12345");
  mkdirSync(join(folder, "0002-folder/inner"), { recursive: true });
  writeFileSync(join(folder, "0002-folder/inner/file"), "123");
  symlinkSync(outside, join(folder, "0003-link"));
  const quarantine = new EngineQuarantine({
    catalog,
    clock: engine.clock,
    stores: engine.stores,
    purgeRefusal: engine.purgeRefusal,
  });
  const names = () => readdirSync(folder).sort();
  const events = async () => {
    const page = { after: null, before: null, limit: 100, backward: false };
    const found = await catalog.listEvents({ types: ["QUARANTINE_EMPTIED"] }, "ASC", page);
    return found.map(({ error, actor, sizeBytes }) => `${actor} ${sizeBytes} ${error}`);
  };
  return {
    store,
    folder,
    quarantine,
    names,
    events,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

describe("EngineQuarantine", () => {
  it("lists files, folders with their contents, and links", async () => {
    await using test = await withQuarantine();
    const { count, totalBytes, files } = await test.quarantine.list(TEST_ADMIN, 2);
    expect([count, totalBytes, files.length]).toEqual([3, 8, 2]);
    expect(files[0]?.movedAt).toBeCloseTo(lstatSync(join(test.folder, "0001-file")).ctimeMs, -2);
  });

  it("deletes its contents with one event each, and does not follow links", async () => {
    await using test = await withQuarantine();
    const dry = await test.quarantine.empty(TEST_ADMIN, { dryRun: true });
    expect(dry).toMatchObject({ count: 3, totalBytes: 8 });
    expect([test.names().length, await test.events()]).toEqual([3, []]);
    expect(await test.quarantine.empty(TEST_ADMIN, { dryRun: false })).toEqual(dry);
    expect(test.names()).toEqual([]);
    expect(readdirSync(outside)).toEqual(["kept"]);
    expect((await test.events()).sort()).toEqual([
      "admin 0 .tierkeep/quarantine/0003-link is deleted.",
      "admin 3 .tierkeep/quarantine/0002-folder is deleted.",
      "admin 5 .tierkeep/quarantine/0001-file is deleted.",
    ]);
  });

  it("keeps files that were moved there since a given instant", async () => {
    await using test = await withQuarantine();
    const [first] = (await test.quarantine.list(TEST_ADMIN, 1)).files;
    const movedBefore = first?.movedAt ?? 0;
    expect(await test.quarantine.empty(TEST_ADMIN, { movedBefore, dryRun: false })).toMatchObject({
      count: 0,
    });
    expect(test.names().length).toBe(3);
  });

  it("returns the first result to a retry with the same idempotency key, and deletes nothing more", async () => {
    await using test = await withQuarantine();
    const options = { dryRun: false, idempotencyKey: "key" };
    expect(await test.quarantine.empty(TEST_ADMIN, options)).toMatchObject({ count: 3, totalBytes: 8 });
    writeFileSync(join(test.folder, "0004-later"), "later");
    expect(await test.quarantine.empty(TEST_ADMIN, options)).toEqual({ count: 3, totalBytes: 8, files: [] });
    expect(test.names()).toEqual(["0004-later"]);
    await expect(test.quarantine.empty(TEST_ADMIN, { ...options, dryRun: true })).rejects.toMatchObject({
      code: "CONFLICT",
    });
  });

  it("deletes nothing while purging is not allowed", async () => {
    await using test = await withQuarantine();
    test.store.refusal = new Refused("UNAVAILABLE", "The audit log is behind.");
    const emptying = test.quarantine.empty(TEST_ADMIN, { dryRun: false });
    await expect(emptying).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect([test.names().length, await test.events()]).toEqual([3, []]);
  });
});
