import { dirname } from "node:path";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import { type Disk, systemCode } from "../../files/disk.ts";
import type { Layout } from "./layout.ts";

/**
 * Modes of the store's directories, narrowed by the umask. Objects are readable by all users, because the
 * tree's links share their mode: these directories decide which users can reach them.
 */
export const STORE_MODES = { private: 0o700, root: 0o750, tier: 0o750 } as const;

/** Makes the permanent directories of the store, durably, with the root and its missing parents. */
export function prepareStore(disk: Disk, layout: Layout, publishTree: boolean): void {
  const missing: string[] = [];
  for (let path = layout.root; disk.lstat(path) === null; path = dirname(path)) missing.unshift(path);
  const tiers = publishTree ? TIERS.map((tier) => layout.tierDirectory(tier)) : [];
  const own = [...layout.fixed, ...tiers].filter((path) => path !== layout.root);
  for (const path of [...missing, ...own]) {
    // A link or a file at the path of a tier's directory is reported when publishing.
    if (disk.lstat(path) === null) disk.mkdir("store.mkdir", path, modeOf(layout, path));
  }
  // Also where all of them existed: the process that made them may have been killed before this.
  for (const parent of new Set([layout.root, ...missing, ...own].map(dirname))) {
    try {
      disk.fsyncDirectory("store.parent.fsync", parent);
    } catch (error) {
      // Some directories above the root may be searchable but not readable.
      const code = systemCode(error);
      if (parent.startsWith(layout.root) || (code !== "EACCES" && code !== "EPERM")) throw error;
    }
  }
}

function modeOf(layout: Layout, path: string): number {
  if (path === layout.root) return STORE_MODES.root;
  if (layout.fixed.includes(path)) return STORE_MODES.private;
  return path.startsWith(layout.root) ? STORE_MODES.tier : 0o777;
}
