import { randomBytes } from "node:crypto";
import { basename, join } from "node:path";
import type { Disk, DiskStep } from "../../../files/disk.ts";
import type { Layout } from "../layout.ts";

/**
 * Moves whatever stands at `path` (a symbolic link itself, not what it points to) into quarantine under a name never
 * used before, and answers the new path. The caller syncs the quarantine before the old directory, so that a crash
 * cannot leave it with neither name.
 */
export function moveToQuarantine(disk: Disk, layout: Layout, path: string, step: DiskStep): string {
  const movedTo = join(layout.quarantine, `${randomBytes(8).toString("hex")}-${basename(path)}`);
  disk.rename(step, path, movedTo);
  return movedTo;
}
