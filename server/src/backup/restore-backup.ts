import { readFile, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { LOG_MODES } from "../audit/log-file.ts";
import { CHECKPOINTS_FILE, isLogName, PUBLIC_KEY_FILE } from "../audit/log-names.ts";
import { CatalogCopy, restart } from "../catalog/open-catalog.ts";
import { type Disk, realDisk, systemCode } from "../files/disk.ts";
import { makeDirectories } from "../files/make-directories.ts";
import { tryOwn } from "../files/owner-lock.ts";
import { openTiers, STORE_MODES } from "../tiers/open-tiers.ts";
import { contentsOf } from "./backup-folder.ts";
import { copyObjects, type Follower, followedBy } from "./copy-objects.ts";
import { copyFile, factsOfFile, placeFile, seal } from "./durable-files.ts";
import { fileListProblem, missesLog } from "./known-files.ts";
import {
  AUDIT_KEY_FILE,
  CATALOG_FILE,
  CONFIG_FILE,
  type DamagedArtifact,
  LOGS_FOLDER,
  MANIFEST_FILE,
  type Manifest,
  readManifest,
} from "./manifest.ts";
import { asRefusal } from "./refused-by-disk.ts";
import type { StoreFiles } from "./store-files.ts";

export interface ReadBackupOptions extends Follower {
  readonly from: string;
  /** For tests: writes all files except the catalog, on the calling thread. */
  readonly disk?: Disk | undefined;
}

export interface RestoreBackupOptions extends ReadBackupOptions {
  readonly store: StoreFiles;
  /**
   * Decides the restored store's config.json and log folder from those of the backup. It may refuse. Default:
   * config.json is restored unchanged, and the log goes to the folder in `store`.
   */
  readonly settle?: ((backup: BackupSettings) => RestoredSettings) | undefined;
}

export interface BackupSettings {
  readonly manifest: Manifest;
  /** The text of config.json. */
  readonly config: string;
  /** Path of the backup's copy of the store's signing key. */
  readonly auditKey: string;
}

export interface RestoredSettings {
  readonly config: string;
  /** The audit log's folder, absolute. */
  readonly logs: string;
}

export interface BackupReport {
  readonly manifest: Manifest;
  /**
   * Artifacts whose bytes are missing or damaged, including those that were damaged when the backup was made.
   */
  readonly damaged: readonly DamagedArtifact[];
}

export interface RestoreReport extends BackupReport {
  /** False: the folder already had an audit log, which was left unchanged. */
  readonly logRestored: boolean;
  /** The audit log's folder. */
  readonly logs: string;
}

/**
 * Reads a complete backup and verifies every checksum. @throws Refused where it is not a backup, or its
 * catalog or keys are damaged
 */
export async function verifyBackup(options: ReadBackupOptions): Promise<BackupReport> {
  const manifest = await checkedManifest(options);
  return { manifest, damaged: await eachObject(options, manifest, null) };
}

/**
 * Creates a store from a backup, in an empty folder. Durable when it resolves. The store starts a new
 * history: cursors of events after the backup are invalid. Damaged objects are left out and reported. When it
 * rejects, its files are deleted; when it is killed, a file in the folder marks the restore as unfinished.
 *
 * @throws Refused, CatalogFormatError, or an AbortError
 */
export async function restoreBackup(given: RestoreBackupOptions): Promise<RestoreReport> {
  const { from, disk = realDisk } = given;
  const manifest = await checkedManifest(given);
  const settled = given.settle?.({
    manifest,
    config: await readFile(join(from, CONFIG_FILE), "utf8"),
    auditKey: join(from, AUDIT_KEY_FILE),
  });
  const store = settled === undefined ? given.store : { ...given.store, logs: settled.logs };
  const options = { ...given, store };
  await takeEmptyFolder(disk, store);
  await makeDirectories(store.own, STORE_MODES.private);
  const lock = tryOwn(store.ownerLock);
  if (lock === null) throw notEmpty(store, "another process uses it");
  try {
    await placeFile(disk, store.unfinishedRestore, "A backup is being restored here.\n");
    const report = await fillStore(options, manifest, settled?.config);
    disk.unlink("backup.file.unlink", store.unfinishedRestore);
    disk.fsyncDirectory("backup.directory.fsync", store.own);
    return report;
  } catch (error) {
    for (const name of contentsOf(disk, store.root)) {
      await rm(join(store.root, name), { recursive: true, force: true });
    }
    throw asRefusal(error, `for the store in ${store.root}`);
  } finally {
    lock.release();
  }
}

async function fillStore(
  options: RestoreBackupOptions,
  manifest: Manifest,
  config: string | undefined,
): Promise<RestoreReport> {
  const { from, store, disk = realDisk } = options;
  const damaged = await eachObject(options, manifest, store.root);
  if (config === undefined) await copyFile(disk, join(from, CONFIG_FILE), store.config);
  else await placeFile(disk, store.config, config);
  await copyFile(disk, join(from, AUDIT_KEY_FILE), store.auditKey);
  const incoming = `${store.catalog}.restoring`;
  await copyFile(disk, join(from, CATALOG_FILE), incoming);
  restart(
    incoming,
    damaged.map(({ object }) => object),
  );
  seal(disk, incoming);
  const logRestored = await restoreLog(options, manifest);
  disk.rename("backup.file.rename", incoming, store.catalog);
  for (const folder of [store.own, store.root, dirname(store.root)])
    disk.fsyncDirectory("backup.directory.fsync", folder);
  return { manifest, damaged, logRestored, logs: store.logs };
}

/**
 * Restores the audit log, unless the folder already has one. An existing log has more events than the backup's,
 * so it is not replaced. The server continues it in a new file, and records the gap in a checkpoint.
 */
async function restoreLog(
  { from, store, disk = realDisk }: RestoreBackupOptions,
  { files }: Manifest,
): Promise<boolean> {
  await makeDirectories(store.logs, LOG_MODES.directory);
  const names = disk.readdir(store.logs) ?? [];
  if (names.some((name) => isLogName(name) || name === CHECKPOINTS_FILE || name === PUBLIC_KEY_FILE))
    return false;
  const log = files.filter(({ path }) => dirname(path) === LOGS_FOLDER).map(({ path }) => basename(path));
  // A part of a log would look like an existing log, so files are renamed only when all copies are complete.
  const copies = log.map((name) => ({ copy: join(store.logs, `restoring.${name}`), name }));
  for (const { copy } of copies) await rm(copy, { force: true });
  for (const { copy, name } of copies) await copyFile(disk, join(from, LOGS_FOLDER, name), copy);
  for (const { copy, name } of copies) disk.rename("backup.file.rename", copy, join(store.logs, name));
  for (const folder of [store.logs, dirname(store.logs)])
    disk.fsyncDirectory("backup.directory.fsync", folder);
  return true;
}

/** Verifies every object of a backup, and copies it to `root`; null: only verifies. */
async function eachObject(
  { from, disk, ...follower }: ReadBackupOptions,
  { objectBytes }: Manifest,
  root: string | null,
): Promise<readonly DamagedArtifact[]> {
  using catalog = new CatalogCopy(join(from, CATALOG_FILE));
  const source = await openTiers({
    root: from,
    publishTree: false,
    durability: "os",
    disk: disk && realDisk,
  });
  try {
    const target =
      root === null ? null : await openTiers({ root, publishTree: false, durability: "fsync", disk });
    try {
      return await copyObjects(
        catalog.objects(),
        source.stores,
        target?.stores ?? null,
        followedBy(follower, objectBytes),
      );
    } finally {
      await target?.close();
    }
  } finally {
    await source.close();
  }
}

async function checkedManifest({ from, disk = realDisk }: ReadBackupOptions): Promise<Manifest> {
  const manifest = await readManifest(from);
  const problem = fileListProblem(disk, from, manifest);
  if (problem !== null) throw damagedManifest(from, problem);
  for (const { path, sizeBytes, checksum } of manifest.files) {
    const found = await factsOfFile(disk, join(from, path)).catch(() => null);
    if (found?.sizeBytes === sizeBytes && found.checksum === checksum) continue;
    throw new Refused(
      "CHECKSUM_MISMATCH",
      `${join(from, path)} is ${found === null ? "missing or cannot be read" : "damaged: it has changed since the backup was made"}. Restore another backup.`,
    );
  }
  using catalog = new CatalogCopy(join(from, CATALOG_FILE));
  const files = new Set(manifest.files.map(({ path }) => path));
  if (manifest.logMissing !== true && missesLog(files, catalog.exportState()))
    throw damagedManifest(from, "does not list the audit log that the catalog has exported");
  return manifest;
}

function damagedManifest(from: string, problem: string): Refused {
  return new Refused(
    "CHECKSUM_MISMATCH",
    `${join(from, MANIFEST_FILE)} ${problem}: it is damaged. Restore another backup, or inspect this one manually.`,
  );
}

async function takeEmptyFolder(disk: Disk, store: StoreFiles): Promise<void> {
  let names: readonly string[];
  try {
    await makeDirectories(store.root, STORE_MODES.root);
    names = contentsOf(disk, store.root);
  } catch (error) {
    throw notEmpty(store, `it cannot be created or read (${systemCode(error)})`);
  }
  if (names.length > 0) throw notEmpty(store, "it is not empty");
}

function notEmpty({ root }: StoreFiles, why: string): Refused {
  return new Refused(
    "CONFLICT",
    `A backup is restored into an empty folder, and STORAGE_BASE_PATH ${root} cannot be used: ${why}. Move its files away, or name another folder.`,
  );
}
