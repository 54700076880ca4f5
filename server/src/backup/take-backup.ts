import { join } from "node:path";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { CatalogCopy, type CatalogFacts, copyCatalog } from "../catalog/open-catalog.ts";
import { pinForBackup } from "../files/backup-lock.ts";
import { type Disk, realDisk } from "../files/disk.ts";
import { openTiers, type Tiers } from "../tiers/open-tiers.ts";
import { type BackupFolder, openBackupFolder } from "./backup-folder.ts";
import { copyLog } from "./copy-log.ts";
import { copyObjects, type Follower, followedBy } from "./copy-objects.ts";
import { copyFile, type FileFacts, factsOfFile, placeFile, seal } from "./durable-files.ts";
import { missesLog } from "./known-files.ts";
import { linkObjects } from "./link-objects.ts";
import {
  AUDIT_KEY_FILE,
  CATALOG_FILE,
  CONFIG_FILE,
  type DamagedArtifact,
  LOGS_FOLDER,
  MANIFEST_FILE,
  type Manifest,
  manifestText,
} from "./manifest.ts";
import { asRefusal } from "./refused-by-disk.ts";
import type { StoreFiles } from "./store-files.ts";

export interface TakeBackupOptions extends Follower {
  readonly store: StoreFiles;
  /** A folder that is empty or does not exist. */
  readonly into: string;
  /** Hard links instead of copies: fast, but the backup is lost if the disk fails. */
  readonly linked: boolean;
  /** Version of this program. */
  readonly version: string;
  /** All files except the catalog are written through it, on the calling thread: for tests. */
  readonly disk?: Disk | undefined;
}

/**
 * Copies a store as it is at one moment, whether a server owns it or not. A server continues to work, but
 * deletes no objects. Every change that was acknowledged before the call is in the backup. Durable when it
 * resolves. When it rejects, its files are deleted; when it is killed, the folder has no manifest.
 *
 * @throws Refused, or an AbortError
 */
export async function takeBackup(options: TakeBackupOptions): Promise<Manifest> {
  const { store, into, disk = realDisk } = options;
  if (disk.lstat(store.catalog) === null) {
    throw new Refused(
      "NOT_FOUND",
      `There is no store in ${store.root}, or its catalog is lost. Name the store's folder in STORAGE_BASE_PATH.`,
    );
  }
  const folder = await openBackupFolder(disk, into, store);
  try {
    const manifest = await fillFolder(folder, options);
    options.signal?.throwIfAborted();
    await placeFile(disk, join(folder.path, MANIFEST_FILE), manifestText(manifest));
    return { format: 1, ...manifest };
  } catch (error) {
    await folder.discard();
    throw asRefusal(error, `for the backup in ${into}`);
  }
}

async function fillFolder(
  folder: BackupFolder,
  options: TakeBackupOptions,
): Promise<Omit<Manifest, "format">> {
  const { store, linked, version, signal, disk = realDisk } = options;
  const inFolder = (name: string) => join(folder.path, name);
  // Before the snapshot: objects that are garbage by then are in none of its rows.
  using _held = pinForBackup(store.backupLock);
  const takenAt = new Date().toISOString();
  await copyCatalog(store.catalog, inFolder(CATALOG_FILE));
  signal?.throwIfAborted();
  const to = await openTiers({
    root: folder.path,
    publishTree: false,
    durability: "fsync",
    disk: options.disk,
  });
  try {
    seal(disk, inFolder(CATALOG_FILE));
    using copy = new CatalogCopy(inFolder(CATALOG_FILE));
    const problem = copy.problem();
    if (problem !== null) throw damagedCatalog(store, problem);
    const facts = copy.facts();
    const files = await copyFiles(disk, folder.path, store, facts);
    const damaged = await fillObjects(copy, facts, to, folder.path, options);
    folder.sync();
    const { seq, artifactCount, totalBytes, objectCount, objectBytes } = facts;
    return {
      version,
      takenAt,
      seq,
      artifactCount,
      totalBytes,
      objectCount,
      objectBytes,
      linked,
      damaged: [...damaged],
      ...(missesLog(new Set(files.keys()), facts.exportState) && { logMissing: true }),
      files: [...files].map(([path, file]) => ({ path, ...file })),
    };
  } finally {
    await to.close();
  }
}

/** Copies all files that are not objects. The catalog is in the folder already. */
async function copyFiles(
  disk: Disk,
  folder: string,
  store: StoreFiles,
  { exportState }: CatalogFacts,
): Promise<ReadonlyMap<string, FileFacts>> {
  const files = new Map<string, FileFacts>();
  const add = (name: string, facts: FileFacts | null) => facts && files.set(name, facts);
  add(CATALOG_FILE, await factsOfFile(disk, join(folder, CATALOG_FILE)));
  const config = await copyFile(disk, store.config, join(folder, CONFIG_FILE));
  if (config === null) throw lostConfig(store);
  add(CONFIG_FILE, config);
  add(AUDIT_KEY_FILE, await copyFile(disk, store.auditKey, join(folder, AUDIT_KEY_FILE)));
  const log = await copyLog(disk, store.logs, join(folder, LOGS_FOLDER), exportState);
  for (const [name, facts] of log) add(`${LOGS_FOLDER}/${name}`, facts);
  return files;
}

async function fillObjects(
  copy: CatalogCopy,
  { objectBytes }: CatalogFacts,
  to: Tiers,
  folder: string,
  { store, linked, disk, ...follower }: TakeBackupOptions,
): Promise<readonly DamagedArtifact[]> {
  const options = followedBy(follower, objectBytes);
  if (linked) return linkObjects(disk ?? realDisk, copy.objects(), store.root, folder, options);
  const from = await openTiers({
    root: store.root,
    publishTree: false,
    durability: "os",
    disk: disk && realDisk,
  });
  try {
    return await copyObjects(copy.objects(), from.stores, to.stores, options);
  } finally {
    await from.close();
  }
}

function lostConfig({ config }: StoreFiles): Refused {
  return new Refused(
    "NOT_FOUND",
    `${config} is lost, and a backup without it cannot be restored. Start the server once to create a new one, then back up again.`,
  );
}

function damagedCatalog({ catalog }: StoreFiles, problem: string): Refused {
  return new Refused(
    "CHECKSUM_MISMATCH",
    `The catalog ${catalog} is damaged (${problem}), so no backup was made. Restore an earlier backup, or rebuild the catalog with a reindex.`,
  );
}
