import { randomBytes } from "node:crypto";
import { access, readdir, rename } from "node:fs/promises";
import { join, resolve } from "node:path";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import { type StoreFiles, storeFilesOf } from "../../backup/store-files.ts";
import type { Config } from "../../config/config.ts";
import { realPath } from "../../files/real-path.ts";
import { StartProblem } from "../start-problem.ts";

/** Where an embedded store keeps what is its own. */
export interface StorePaths extends StoreFiles {
  readonly spaceReserve: string;
  readonly owner: string;
}

/** Where the configured store's files are. Links above and at STORAGE_BASE_PATH are followed, so a store has one name. */
export function storePaths({
  storageBasePath,
  logDir,
}: Pick<Config, "storageBasePath" | "logDir">): StorePaths {
  const files = storeFilesOf(realPath(storageBasePath), resolve(logDir));
  return { ...files, spaceReserve: join(files.own, "ballast"), owner: join(files.own, "owner.json") };
}

/** @throws StartProblem where a backup was being put back, and only a part of it is there */
export async function requireWhole(paths: StorePaths): Promise<void> {
  if (!(await isThere(paths.unfinishedRestore))) return;
  throw new StartProblem(
    `In ${paths.root} a backup was being restored, and that was not finished. Delete what is there and restore it again.`,
  );
}

export function systemCodeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message ?? String(error);
}

/**
 * Moves aside what a catalog that is gone has left: SQLite would take the old log for that of the new catalog. The
 * caller owns the store.
 */
export async function setOldLogAside(paths: StorePaths): Promise<void> {
  if (await isThere(paths.catalog)) return;
  for (const end of ["-wal", "-shm"]) {
    if (await isThere(`${paths.catalog}${end}`))
      await rename(`${paths.catalog}${end}`, `${paths.catalog}${end}.lost-${randomBytes(8).toString("hex")}`);
  }
}

/** How many tenants have a folder in the published tree. */
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
