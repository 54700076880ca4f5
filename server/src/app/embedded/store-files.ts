import { randomBytes } from "node:crypto";
import { access, readdir, rename } from "node:fs/promises";
import { join, resolve } from "node:path";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import { type StoreFiles, storeFilesOf } from "../../backup/store-files.ts";
import type { Config } from "../../config/config.ts";
import { realPath } from "../../files/real-path.ts";
import { StartProblem } from "../start-problem.ts";

/** Paths of an embedded store's private files. */
export interface StorePaths extends StoreFiles {
  readonly spaceReserve: string;
  readonly owner: string;
}

/** Returns the paths of the configured store. Links above and at STORAGE_BASE_PATH are resolved, so a store has one name. */
export function storePaths({
  storageBasePath,
  logDir,
}: Pick<Config, "storageBasePath" | "logDir">): StorePaths {
  const files = storeFilesOf(realPath(storageBasePath), resolve(logDir));
  return { ...files, spaceReserve: join(files.own, "ballast"), owner: join(files.own, "owner.json") };
}

/** @throws StartProblem if the restore of a backup was not completed */
export async function requireWhole(paths: StorePaths): Promise<void> {
  if (!(await isThere(paths.unfinishedRestore))) return;
  throw new StartProblem(
    `The restore of a backup into ${paths.root} was not completed. Delete the files there and restore it again.`,
  );
}

/** Returns the code of a system error such as "ENOENT", else its message. */
export function systemCodeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message ?? String(error);
}

/**
 * Renames the -wal and -shm files of a missing catalog, because SQLite would apply them to the new catalog. The caller
 * owns the store.
 */
export async function setOldLogAside(paths: StorePaths): Promise<void> {
  if (await isThere(paths.catalog)) return;
  for (const end of ["-wal", "-shm"]) {
    if (await isThere(`${paths.catalog}${end}`))
      await rename(`${paths.catalog}${end}`, `${paths.catalog}${end}.lost-${randomBytes(8).toString("hex")}`);
  }
}

/** Returns the number of tenants with a folder in the published tree. */
export async function tenantsInTree(paths: StorePaths): Promise<number> {
  const names = new Set<string>();
  for (const tier of TIERS) {
    const entries = await readdir(join(paths.root, tier.toLowerCase()), { withFileTypes: true }).catch(
      () => [],
    );
    for (const entry of entries) if (entry.isDirectory()) names.add(entry.name);
  }
  return names.size;
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
