import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Disk } from "../../files/disk.ts";
import type { FoundAt } from "../tier-store.ts";
import { inFolder, type Layout, type ViewPaths } from "./layout.ts";

/**
 * Returns where the artifact belongs in this tier now: artifact `a` is the file `a`, and `a/.file` where `a` is
 * a folder.
 *
 * @throws Refused INVALID_IDENTIFIER
 */
export function currentPaths(disk: Disk, layout: Layout, tier: Tier, key: ArtifactKey): ViewPaths {
  const paths = layout.viewPaths(tier, key);
  return disk.lstat(paths.artifact)?.kind === "directory" ? inFolder(paths) : paths;
}

/** Returns the path of bytes that are not an object. */
export function foundPath(disk: Disk, layout: Layout, at: FoundAt): string {
  return "key" in at
    ? currentPaths(disk, layout, at.tier, at.key).artifact
    : layout.quarantinePath(at.quarantined);
}
