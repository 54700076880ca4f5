import { access, chmod } from "node:fs/promises";
import { join } from "node:path";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { holdForBackup } from "../catalog/sqlite/backup-lock.ts";
import { CatalogCopy, type CatalogFacts, copyCatalog } from "../catalog/sqlite/catalog-copy.ts";
import { failureKind, isBusy } from "../catalog/sqlite/failures.ts";
import { openTiers } from "../tiers/open-tiers.ts";
import { type BackupFolder, openBackupFolder } from "./backup-folder.ts";
import { copyLog } from "./copy-log.ts";
import { copyObjects, type ObjectsOptions } from "./copy-objects.ts";
import { copyFileDurably, type FileFacts, factsOfFile, placeFile, syncPath } from "./durable-files.ts";
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
import type { StoreFiles } from "./store-files.ts";

export interface TakeBackupOptions {
  readonly store: StoreFiles;
  /** A folder that is empty or not there. */
  readonly into: string;
  /** Hard links in place of copies: at once, on the same disk, and no help when that is lost. */
  readonly linked: boolean;
  /** Of this program. */
  readonly version: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

/**
 * Copies a store as it is at one moment, whether a process owns it or not; whoever owns it goes on meanwhile, but for
 * removing objects. Everything that was acknowledged before the call is in it. Durable when it resolves. When it
 * rejects, nothing of it is left; where it is killed, what is left has no manifest.
 * @throws Refused, or an AbortError
 */
export async function takeBackup(options: TakeBackupOptions): Promise<Manifest> {
  const { store, into } = options;
  await access(store.catalog).catch(() => {
    throw new Refused(
      "NOT_FOUND",
      `There is no store in ${store.root}, or its catalog is lost. Name the store's folder in STORAGE_BASE_PATH.`,
    );
  });
  const folder = await openBackupFolder(into, store);
  try {
    const manifest = await fillFolder(folder, options);
    options.signal?.throwIfAborted();
    await placeFile(join(folder.path, MANIFEST_FILE), manifestText(manifest));
    return { format: 1, ...manifest };
  } catch (error) {
    await folder.discard();
    throw asRefusal(error, into);
  }
}

async function fillFolder(
  folder: BackupFolder,
  options: TakeBackupOptions,
): Promise<Omit<Manifest, "format">> {
  const { store, linked, version, signal } = options;
  const inFolder = (name: string) => join(folder.path, name);
  // Before the snapshot: what was garbage by then is in no row of it.
  using _held = holdForBackup(store.backupLock);
  const takenAt = new Date().toISOString();
  await copyCatalog(store.catalog, inFolder(CATALOG_FILE));
  await chmod(inFolder(CATALOG_FILE), 0o600);
  await syncPath(inFolder(CATALOG_FILE));
  signal?.throwIfAborted();
  using copy = new CatalogCopy(inFolder(CATALOG_FILE));
  const problem = copy.problem();
  if (problem !== null) throw damagedCatalog(store, problem);
  const facts = copy.facts();
  const files = new Map<string, FileFacts>([[CATALOG_FILE, await factsOfFile(inFolder(CATALOG_FILE))]]);
  for (const [name, from] of [
    [CONFIG_FILE, store.config],
    [AUDIT_KEY_FILE, store.auditKey],
  ] as const) {
    const copied = await copyIfThere(from, inFolder(name));
    if (copied !== null) files.set(name, copied);
  }
  for (const [name, copied] of await copyLog(store.logs, inFolder(LOGS_FOLDER), facts.exportState)) {
    files.set(`${LOGS_FOLDER}/${name}`, copied);
  }
  const damaged = await fillObjects(copy, facts, folder.path, options);
  await folder.sync();
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
    files: [...files].map(([path, file]) => ({ path, ...file })),
  };
}

async function fillObjects(
  copy: CatalogCopy,
  { objectBytes }: CatalogFacts,
  folder: string,
  { store, linked, signal, onProgress }: TakeBackupOptions,
): Promise<readonly DamagedArtifact[]> {
  let done = 0;
  const options: ObjectsOptions = {
    signal,
    onBytes: (bytes) => {
      done += bytes;
      onProgress?.(done, objectBytes);
    },
  };
  const to = await openTiers({ root: folder, publishTree: false, durability: "fsync" });
  try {
    if (linked) return await linkObjects(copy.objects(), store.root, folder, options);
    const from = await openTiers({ root: store.root, publishTree: false, durability: "os" });
    try {
      return await copyObjects(copy.objects(), from.base, to.base, options);
    } finally {
      await from.close();
    }
  } finally {
    await to.close();
  }
}

async function copyIfThere(from: string, to: string): Promise<FileFacts | null> {
  try {
    return await copyFileDurably(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

function damagedCatalog({ catalog }: StoreFiles, problem: string): Refused {
  return new Refused(
    "CHECKSUM_MISMATCH",
    `The catalog ${catalog} is damaged, and a copy of it would be as well (${problem}). Restore an earlier backup, or let the store reindex.`,
  );
}

/** What the user can do something about, in their terms. */
function asRefusal(error: unknown, into: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code ?? "";
  if (
    code === "STORAGE_FULL" ||
    ["ENOSPC", "EDQUOT", "EFBIG"].includes(code) ||
    failureKind(error) === "full"
  ) {
    return new Refused(
      "STORAGE_FULL",
      `There is not enough room for the backup in ${into}. Nothing of it was kept, and the store is as it was. Free some space there, or name a folder on another disk.`,
      {},
      { cause: error },
    );
  }
  if (isBusy(error)) {
    return new Refused(
      "UNAVAILABLE",
      "The store's owner does not let go of a lock that it needs for moments only. Look whether it hangs, then back up again.",
      {},
      { cause: error },
    );
  }
  return error;
}
