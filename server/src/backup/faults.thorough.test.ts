import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { CODES, FaultInjector } from "../../testing/faults/fault-injector.ts";
import { EngineStore, keyOf } from "../../testing/stores/engine-store.ts";
import type { Loss } from "../../testing/tiers/crash-loss.ts";
import { LossyDisk, SimulatedCrash } from "../../testing/tiers/lossy-disk.ts";
import { CatalogCopy } from "../catalog/open-catalog.ts";
import { type Disk, realDisk } from "../files/disk.ts";
import { openTiers } from "../tiers/open-tiers.ts";
import { copyObjects } from "./copy-objects.ts";
import { MANIFEST_FILE } from "./manifest.ts";
import { restoreBackup, verifyBackup } from "./restore-backup.ts";
import { storeFilesOf } from "./store-files.ts";
import { takeBackup } from "./take-backup.ts";

/** Hundreds of backups take long on a slow machine. */
vi.setConfig({ testTimeout: 300_000 });

/**
 * What a power failure loses of the data that was not synced. Each step is tried with both losses of a pair.
 */
const LOSSES: readonly (readonly [Loss, Loss])[] = [
  ["everything", { seed: 1 }],
  ["nothing", { seed: 2 }],
];

let store: EngineStore;
let sourceLogs: string;
/** An intact backup of the store. */
let sound: string;

beforeAll(async () => {
  store = await EngineStore.open();
  for (const name of ["a", "b"]) await store.write(keyOf(name), Buffer.from(name));
  await store.write(keyOf("large"), Buffer.alloc(100_000, "large"));
  await store.engine.drain();
  await store.write(keyOf("rides"), Buffer.from("rides"));
  sourceLogs = mkdtempSync(join(tmpdir(), "tierkeep-backup-"));
  for (const name of ["config.json", "audit-key.pem"])
    writeFileSync(join(store.root, ".tierkeep", name), name);
  writeFileSync(join(sourceLogs, "lifecycle_events.public-key.pem"), "a key");
  sound = join(sourceLogs, "sound");
  await takeBackup({ ...source(), into: sound, linked: false });
});

afterAll(async () => {
  rmSync(sourceLogs, { recursive: true });
  await store[Symbol.asyncDispose]();
});

const source = () => ({ store: storeFilesOf(store.root, join(sourceLogs, "logs")), version: "1.2.3" });

const backUp = (into: string, disk: Disk, linked: boolean) => takeBackup({ ...source(), into, linked, disk });

const restore = (folder: string, disk: Disk) =>
  restoreBackup({ from: sound, disk, store: storeFilesOf(join(folder, "artifacts"), join(folder, "logs")) });

/** Returns true for a complete backup, false for none; fails for anything else. */
async function isWhole(folder: string): Promise<boolean> {
  if (!existsSync(join(folder, MANIFEST_FILE))) return false;
  const { manifest, damaged } = await verifyBackup({ from: folder });
  expect([damaged, manifest.artifactCount, manifest.objectCount]).toEqual([[], 4, 3]);
  return true;
}

/**
 * Returns true for a complete store; false where the folder is empty or marked as unfinished; fails for
 * anything else.
 */
async function isWholeStore(folder: string): Promise<boolean> {
  const files = storeFilesOf(join(folder, "artifacts"), join(folder, "logs"));
  if (existsSync(files.unfinishedRestore)) return false;
  if (!existsSync(files.catalog)) {
    const objects = join(files.own, "objects");
    expect(existsSync(objects) ? readdirSync(objects) : []).toEqual([]);
    return false;
  }
  using catalog = new CatalogCopy(files.catalog);
  const tiers = await openTiers({ root: files.root, publishTree: false, durability: "os", disk: realDisk });
  try {
    expect(await copyObjects(catalog.objects(), tiers.stores, null)).toEqual([]);
  } finally {
    await tiers.close();
  }
  expect(catalog.facts().artifactCount).toBe(4);
  expect(existsSync(files.config) && existsSync(files.auditKey)).toBe(true);
  return true;
}

/** Repeats the operation with a power failure before each of its steps. Returns how often it completed. */
async function cutAtEachStep(
  work: (folder: string, disk: Disk) => Promise<unknown>,
  isDone: (folder: string) => Promise<boolean>,
): Promise<{ readonly steps: number; readonly done: number }> {
  let done = 0;
  for (let last = 0; ; last += 1) {
    for (const lose of LOSSES[last % 2] ?? []) {
      const folder = mkdtempSync(join(tmpdir(), "tierkeep-backup-"));
      let taken = 0;
      let copied = false;
      const disk: LossyDisk = new LossyDisk(folder, {
        onStep: () => {
          // SQLite writes it without this disk, and leaves the sync to the caller.
          const catalog = join(folder, "catalog.db");
          if (!copied && existsSync(catalog)) disk.addForeignFile(catalog);
          copied ||= existsSync(catalog);
          if (taken === last) disk.crash(lose);
          taken += 1;
        },
      });
      try {
        const cut = await work(folder, disk).then(
          () => false,
          (error: unknown) => {
            if (!(error instanceof SimulatedCrash)) throw error;
            return true;
          },
        );
        if (!cut) disk.crash(lose);
        const whole = await isDone(folder).catch((error: unknown) => {
          throw new Error(`power failure before step ${last + 1}, losing ${JSON.stringify(lose)}: ${error}`, {
            cause: error,
          });
        });
        // A caller that received its success has it.
        if (!cut) expect(whole).toBe(true);
        if (whole) done += 1;
        if (!cut) return { steps: last, done };
      } finally {
        rmSync(folder, { recursive: true });
      }
    }
  }
}

/**
 * Repeats the operation with each call of the disk failing, once or permanently. Returns the number of
 * faults.
 */
async function failEachCall(
  work: (folder: string, disk: Disk) => Promise<unknown>,
  isDone: (folder: string) => Promise<boolean>,
): Promise<number> {
  let faults = 0;
  for (const lasting of [false, true]) {
    for (const code of CODES) {
      for (let nth = 1; ; nth += lasting ? 4 : 1) {
        const folder = mkdtempSync(join(tmpdir(), "tierkeep-backup-"));
        try {
          const injector = new FaultInjector();
          injector.arm({ code, nth, lasting });
          const refused = await work(folder, injector.disk(realDisk)).then(
            () => null,
            (error: unknown) => error,
          );
          if (injector.lift().size === 0) {
            expect(refused).toBeNull();
            break;
          }
          faults += 1;
          const whole = await isDone(folder).catch((error: unknown) => {
            throw new Error(`${code} at call ${nth}, lasting ${lasting}: ${error}`, { cause: error });
          });
          if (refused === null) expect(whole, `${code} at call ${nth}`).toBe(true);
          else if (code === "ENOSPC") expect(refused).toMatchObject({ code: "STORAGE_FULL" });
        } finally {
          rmSync(folder, { recursive: true });
        }
      }
    }
  }
  return faults;
}

describe("a backup", () => {
  it.each([
    ["of copies", false],
    ["of links", true],
  ])("%s is complete or absent after a power failure before any step", async (_, linked) => {
    const { steps, done } = await cutAtEachStep((folder, disk) => backUp(folder, disk, linked), isWhole);
    expect(steps).toBeGreaterThan(30);
    expect(done).toBeGreaterThan(0);
  });

  it("is complete or absent when any call fails, and complete when it reports success", async () => {
    expect(await failEachCall((folder, disk) => backUp(folder, disk, false), isWhole)).toBeGreaterThan(100);
  });
});

describe("restoring a backup", () => {
  it("leaves a complete store or none after a power failure before any step", async () => {
    const { steps } = await cutAtEachStep(restore, isWholeStore);
    expect(steps).toBeGreaterThan(30);
  });

  it("leaves a complete store or none when any call fails", async () => {
    expect(await failEachCall(restore, isWholeStore)).toBeGreaterThan(100);
  });
});
