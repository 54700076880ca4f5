import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { beginAnew, CatalogCopy } from "../catalog/sqlite/catalog-copy.ts";
import { tryOwn } from "../catalog/sqlite/owner-lock.ts";
import { openTiers } from "../tiers/open-tiers.ts";
import { contentsOf } from "./backup-folder.ts";
import { copyObjects, type ObjectsOptions } from "./copy-objects.ts";
import { copyFileDurably, factsOfFile, placeFile, syncPath } from "./durable-files.ts";
import {
  AUDIT_KEY_FILE,
  CATALOG_FILE,
  CONFIG_FILE,
  type DamagedArtifact,
  LOGS_FOLDER,
  type Manifest,
  readManifest,
} from "./manifest.ts";
import type { StoreFiles } from "./store-files.ts";

export interface ReadBackupOptions {
  readonly from: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

export interface RestoreBackupOptions extends ReadBackupOptions {
  readonly store: StoreFiles;
}

export interface BackupReport {
  readonly manifest: Manifest;
  /** Artifacts without their bytes, or with wrong ones: those that were damaged when the backup was taken, too. */
  readonly damaged: readonly DamagedArtifact[];
}

export interface RestoreReport extends BackupReport {
  /** False: there was an audit log already, and it was left as it is. */
  readonly logRestored: boolean;
}

/** Reads a whole backup and compares every checksum. @throws Refused where it is none, or its catalog or keys are damaged */
export async function verifyBackup(options: ReadBackupOptions): Promise<BackupReport> {
  const manifest = await checkedManifest(options.from);
  return { manifest, damaged: await eachObject(options, manifest, null) };
}

/**
 * Makes a store of a backup, where there is none. Durable when it resolves, and the store begins another past: cursors
 * of events that came after the backup are none of its. What is damaged in the backup is left out and told of. When it
 * rejects, nothing of it is left; where it is killed, what is left says that it is no store.
 * @throws Refused, NewerCatalogError, or an AbortError
 */
export async function restoreBackup(options: RestoreBackupOptions): Promise<RestoreReport> {
  const { from, store } = options;
  const manifest = await checkedManifest(from);
  await requireEmpty(store);
  await mkdir(store.own, { recursive: true });
  const lock = tryOwn(store.ownerLock);
  if (lock === null) throw notEmpty(store, "another process has it");
  try {
    await placeFile(store.unfinishedRestore, "A backup is being restored here.\n");
    const report = await fillStore(options, manifest);
    await rm(store.unfinishedRestore);
    await syncPath(store.own);
    return report;
  } catch (error) {
    for (const name of await contentsOf(store.root)) {
      await rm(join(store.root, name), { recursive: true, force: true });
    }
    throw error;
  } finally {
    lock.release();
  }
}

async function fillStore(options: RestoreBackupOptions, manifest: Manifest): Promise<RestoreReport> {
  const { from, store } = options;
  const damaged = await eachObject(options, manifest, store.root);
  for (const [name, to] of [
    [CONFIG_FILE, store.config],
    [AUDIT_KEY_FILE, store.auditKey],
  ] as const) {
    if (manifest.files.some(({ path }) => path === name)) await copyFileDurably(join(from, name), to);
  }
  const incoming = `${store.catalog}.restoring`;
  await copyFileDurably(join(from, CATALOG_FILE), incoming);
  beginAnew(
    incoming,
    damaged.map(({ object }) => object),
  );
  await syncPath(incoming);
  const logRestored = await restoreLog(options, manifest);
  await rename(incoming, store.catalog);
  for (const folder of [store.own, store.root, dirname(store.root)]) await syncPath(folder);
  return { manifest, damaged, logRestored };
}

/** Where there is a log, it knows more than the backup's: the server goes on after it, and says so in it. */
async function restoreLog({ from, store }: RestoreBackupOptions, { files }: Manifest): Promise<boolean> {
  await mkdir(store.logs, { recursive: true });
  const log = files.filter(({ path }) => dirname(path) === LOGS_FOLDER).map(({ path }) => basename(path));
  const there = new Set(await readdir(store.logs));
  if ([...there].some((name) => name.startsWith("lifecycle_events"))) return false;
  for (const name of log) await copyFileDurably(join(from, LOGS_FOLDER, name), join(store.logs, name));
  await syncPath(store.logs);
  return true;
}

/** Reads every object of a backup, and copies it to `root`; null: nowhere. */
async function eachObject(
  { from, signal, onProgress }: ReadBackupOptions,
  { objectBytes }: Manifest,
  root: string | null,
): Promise<readonly DamagedArtifact[]> {
  let done = 0;
  const options: ObjectsOptions = {
    signal,
    onBytes: (bytes) => {
      done += bytes;
      onProgress?.(done, objectBytes);
    },
  };
  using catalog = new CatalogCopy(join(from, CATALOG_FILE));
  const source = await openTiers({ root: from, publishTree: false, durability: "os" });
  try {
    const target = root === null ? null : await openTiers({ root, publishTree: false, durability: "fsync" });
    try {
      return await copyObjects(catalog.objects(), source.base, target?.base ?? null, options);
    } finally {
      await target?.close();
    }
  } finally {
    await source.close();
  }
}

async function checkedManifest(from: string): Promise<Manifest> {
  const manifest = await readManifest(from);
  for (const { path, sizeBytes, checksum } of manifest.files) {
    const found = await factsOfFile(join(from, path)).catch(() => null);
    if (found?.sizeBytes === sizeBytes && found.checksum === checksum) continue;
    throw new Refused(
      "CHECKSUM_MISMATCH",
      `${join(from, path)} is ${found === null ? "missing or cannot be read" : "not as it was when the backup was taken"}. Restore another backup.`,
    );
  }
  return manifest;
}

async function requireEmpty(store: StoreFiles): Promise<void> {
  const names = await contentsOf(store.root).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw notEmpty(store, String(error.code));
  });
  if (names.length > 0) throw notEmpty(store, "it is not empty");
}

function notEmpty({ root }: StoreFiles, why: string): Refused {
  return new Refused(
    "CONFLICT",
    `A backup is restored into an empty folder, and STORAGE_BASE_PATH ${root} cannot be that: ${why}. Move what is there out of the way, or name another folder.`,
  );
}
