import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { write, writeStaged } from "../../testing/catalog/sample-changes.ts";
import { EngineStore, keyOf } from "../../testing/stores/engine-store.ts";
import { TwoStores } from "../../testing/stores/two-stores.ts";
import { copyObjects } from "./copy-objects.ts";
import { storeFilesOf } from "./store-files.ts";
import { takeBackup } from "./take-backup.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tierkeep-backup-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe("copyObjects", () => {
  it("copies each object from the store of its row into the store with the same id", async () => {
    await using from = await TwoStores.open();
    await using to = await TwoStores.open();
    const large = "x".repeat(100_000);
    const contents = [
      ["small cold", "COLD", "1"],
      ["small hot", "HOT", "2"],
      ["cold", "COLD", large],
      ["hot", "HOT", large],
    ] as const;
    for (const [name, tier, text] of contents) await from.write(keyOf(name), tier, text);
    await from.engine.drain();
    const rows = await Promise.all(contents.map(([name]) => from.row(keyOf(name))));
    const objects = rows.map((row) => ({ ...row, key: keyOf(row.artifactId) }));
    expect(await copyObjects(objects, from.stores, to.stores)).toEqual([]);
    for (const id of ["base", "archive"] as const)
      expect(await to.objects(id)).toEqual(await from.objects(id));
    await from.openOnly(["base"]);
    await expect(copyObjects(objects, from.stores, null)).rejects.toMatchObject({
      code: "TIER_UNAVAILABLE",
      message: expect.stringContaining("The store archive"),
    });
  });
});

it.each([false, true])(
  "a backup is refused while a store of a row is not open, linked: %s",
  async (linked) => {
    await using store = await EngineStore.open();
    await store.write(keyOf("here"), Buffer.alloc(100_000));
    await writeStaged(store.catalog, write("acme/nightly/away", { store: "archive" }));
    const files = storeFilesOf(store.root, join(folder, "logs"));
    writeFileSync(files.config, "{}");
    const into = join(folder, "backup");
    await expect(takeBackup({ store: files, into, linked, version: "1.2.3" })).rejects.toMatchObject({
      code: "TIER_UNAVAILABLE",
      message: expect.stringContaining("The store archive"),
    });
    expect(existsSync(into)).toBe(false);
  },
);
