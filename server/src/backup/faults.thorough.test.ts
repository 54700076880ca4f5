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

/** Hundreds of backups take as long as the machine needs. */
vi.setConfig({ testTimeout: 300_000 });

/** Of what was not synced. Of each two, each step is tried with both. */
const LOSSES: readonly (readonly [Loss, Loss])[] = [
  ["everything", { seed: 1 }],
  ["nothing", { seed: 2 }],
];

let store: EngineStore;
let sourceLogs: string;
/** A sound backup of it. */
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

/** Whether it is a backup; and if so, that it is whole. */
async function isWhole(folder: string): Promise<boolean> {
  if (!existsSync(join(folder, MANIFEST_FILE))) return false;
  const { manifest, damaged } = await verifyBackup({ from: folder });
  expect([damaged, manifest.artifactCount, manifest.objectCount]).toEqual([[], 4, 3]);
  return true;
}

/** Whether it is a store; and if so, that it is whole. What is no store says so, or holds nothing. */
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
    expect(await copyObjects(catalog.objects(), tiers.base, null)).toEqual([]);
  } finally {
    await tiers.close();
  }
  expect(catalog.facts().artifactCount).toBe(4);
  expect(existsSync(files.config) && existsSync(files.auditKey)).toBe(true);
  return true;
}

/** Does it again and again, with a power cut before each of its steps. Answers with how often it came to its end. */
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
          // SQLite writes it past this disk, and leaves it to others to sync it.
          const catalog = join(folder, "catalog.db");
          if (!copied && existsSync(catalog)) disk.stranger(catalog);
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
          throw new Error(`cut before step ${last + 1}, losing ${JSON.stringify(lose)}: ${error}`, {
            cause: error,
          });
        });
        // Whoever was told that it is done has it.
        if (!cut) expect(whole).toBe(true);
        if (whole) done += 1;
        if (!cut) return { steps: last, done };
      } finally {
        rmSync(folder, { recursive: true });
      }
    }
  }
}

/** Does it again and again, with each call of the disk failing, once and for good. Answers with how many faults there were. */
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
          const trouble = new FaultInjector();
          trouble.arm({ code, nth, lasting });
          const refused = await work(folder, trouble.disk(realDisk)).then(
            () => null,
            (error: unknown) => error,
          );
          if (trouble.lift().size === 0) {
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
  ])("%s that loses its power before any step is whole or none", async (_, linked) => {
    const { steps, done } = await cutAtEachStep((folder, disk) => backUp(folder, disk, linked), isWhole);
    expect(steps).toBeGreaterThan(30);
    expect(done).toBeGreaterThan(0);
  });

  it("of which any call fails is whole or none, and whoever is told that it is done has it", async () => {
    expect(await failEachCall((folder, disk) => backUp(folder, disk, false), isWhole)).toBeGreaterThan(100);
  });
});

describe("restoring a backup", () => {
  it("that loses its power before any step leaves a store that is whole, or none", async () => {
    const { steps } = await cutAtEachStep(restore, isWholeStore);
    expect(steps).toBeGreaterThan(30);
  });

  it("of which any call fails leaves a store that is whole, or none", async () => {
    expect(await failEachCall(restore, isWholeStore)).toBeGreaterThan(100);
  });
});
