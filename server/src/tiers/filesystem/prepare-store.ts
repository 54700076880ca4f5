import { dirname } from "node:path";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import { type Disk, systemCode } from "./disk.ts";
import type { Layout } from "./layout.ts";

/** Makes the directories that stand as long as the store does, durably, with the root and its parents where they are missing. */
export function prepareStore(disk: Disk, layout: Layout, publishTree: boolean): void {
  const missing: string[] = [];
  for (let path = layout.root; disk.lstat(path) === null; path = dirname(path)) missing.unshift(path);
  const tiers = publishTree ? TIERS.map((tier) => layout.tierDirectory(tier)) : [];
  const own = [...layout.fixed, ...tiers].filter((path) => path !== layout.root);
  for (const path of [...missing, ...own]) {
    // A tier's folder that is something else than a folder is the publisher's to report.
    if (disk.lstat(path) === null) disk.mkdir("store.mkdir", path);
  }
  // Also where all of them were there: whoever made them may have been killed before this.
  for (const parent of new Set([layout.root, ...missing, ...own].map(dirname))) {
    try {
      disk.fsyncDirectory("store.parent.fsync", parent);
    } catch (error) {
      // Above the root there may be directories that we may pass through but not open.
      const code = systemCode(error);
      if (parent.startsWith(layout.root) || (code !== "EACCES" && code !== "EPERM")) throw error;
    }
  }
}
