import { randomBytes } from "node:crypto";
import { basename, join } from "node:path";
import type { Disk, DiskStep } from "../../../files/disk.ts";
import type { Layout } from "../layout.ts";

/**
 * Moves the file at `path` (a symbolic link, not its target) into quarantine under a new random name, and
 * returns the new path. The caller syncs the quarantine before the old directory, so that a crash cannot
 * leave the file without a name.
 */
export function moveToQuarantine(disk: Disk, layout: Layout, path: string, step: DiskStep): string {
  const movedTo = join(layout.quarantine, `${randomBytes(8).toString("hex")}-${basename(path)}`);
  disk.rename(step, path, movedTo);
  return movedTo;
}
