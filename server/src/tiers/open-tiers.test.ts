import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Disk, type DiskStep, realDisk } from "../files/disk.ts";
import { openTiers } from "./open-tiers.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tierkeep-open-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Returns the disk steps while a store is opened, written to and closed. */
async function stepsWith(durability: "fsync" | "os"): Promise<Set<DiskStep>> {
  const steps = new Set<DiskStep>();
  const disk: Disk = {
    ...realDisk,
    fsync: (step, descriptor) => {
      steps.add(step);
      realDisk.fsync(step, descriptor);
    },
    fsyncDirectory: (step, path) => {
      steps.add(step);
      realDisk.fsyncDirectory(step, path);
    },
  };
  const tiers = await openTiers({ root: join(folder, "artifacts"), publishTree: true, durability, disk });
  await tiers.storeOf("HOT").put([{ object: "0".repeat(32), bytes: new Uint8Array(1), modifiedAt: 0 }]);
  await tiers.close();
  return steps;
}

describe("openTiers", () => {
  it("creates missing folders with their parents, and finds each tier's store by its id", async () => {
    const root = join(folder, "some", "where", "artifacts");
    const tiers = await openTiers({ root, publishTree: true, durability: "fsync", ioThreads: 1 });
    expect(readdirSync(root).sort()).toEqual([".tierkeep", "cold", "hot", "warm"]);
    for (const tier of TIERS) expect(tiers.stores.get(tiers.storeOf(tier).id)).toBe(tiers.storeOf(tier));
    expect(tiers.storeOf("HOT").id).toBe("base");
    await tiers.close();
  });

  it("creates no view and no tier folders without the published tree", async () => {
    const root = join(folder, "artifacts");
    const tiers = await openTiers({ root, publishTree: false, durability: "fsync", ioThreads: 1 });
    expect(tiers.storeOf("HOT").view).toBeNull();
    expect(readdirSync(root)).toEqual([".tierkeep"]);
    await tiers.close();
  });

  it("rejects with TIER_UNAVAILABLE where the folders cannot be created", async () => {
    writeFileSync(join(folder, "file"), "");
    const opening = openTiers({
      root: join(folder, "file", "artifacts"),
      publishTree: true,
      durability: "fsync",
      ioThreads: 1,
    });
    await expect(opening).rejects.toMatchObject({
      name: "Refused",
      code: "TIER_UNAVAILABLE",
      cause: { kind: "UNAVAILABLE", cause: { code: "ENOTDIR" } },
    });
    expect(existsSync(join(folder, "artifacts"))).toBe(false);
  });

  it("uses fsync, and with durability os never", async () => {
    expect(await stepsWith("os")).toEqual(new Set());
    expect(await stepsWith("fsync")).toContain("object.fsync");
  });
});
