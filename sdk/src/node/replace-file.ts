import { randomUUID } from "node:crypto";
import type { Stats } from "node:fs";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Mode of a new file, reduced by the umask as for any program. */
const NEW_FILE = 0o666;
const PERMISSIONS = 0o777;
const OWNER = 0o700;

export interface ReplaceOptions {
  /** Path of the temporary file, in the same folder. Default: a unique name. */
  readonly temporary?: string | undefined;
  /** True if the temporary file exists, with the bytes of an earlier call. Default: false. */
  readonly isBegun?: boolean | undefined;
  /**
   * Returns the path at which to keep the temporary file after this error; null to delete it. Default: null.
   */
  readonly keep?: ((error: unknown) => string | null) | undefined;
}

/**
 * Writes a file atomically: `fill` writes to a temporary file in the same folder, which is then renamed. A
 * new file that replaces another one gets its mode and, if the system permits, its owner. So no user may read
 * the new content who could not read the old one.
 *
 * @throws the error of `fill`; the system's error if the file cannot be written
 */
export async function replaceFile(
  path: string,
  fill: (file: FileHandle, temporary: string) => Promise<void>,
  options: ReplaceOptions = {},
): Promise<void> {
  const { isBegun = false, keep = () => null } = options;
  const temporary = options.temporary ?? join(dirname(path), `.tierkeep-${randomUUID()}.part`);
  const replaced = await stat(path).catch(() => null);
  try {
    const mode = replaced === null ? NEW_FILE : replaced.mode & OWNER;
    const file = await open(temporary, isBegun ? "r+" : "wx", mode);
    try {
      await fill(file, temporary);
      if (replaced !== null) await takeOver(file, replaced);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    const kept = keep(error);
    if (kept === null) await rm(temporary, { force: true });
    else await rename(temporary, kept);
    throw error;
  }
}

async function takeOver(file: FileHandle, { mode, uid, gid }: Stats): Promise<void> {
  const own = await file.stat();
  let permissions = mode & PERMISSIONS;
  if (own.uid !== uid || own.gid !== gid) {
    // Without the original group, the group permissions would apply to another group.
    await file.chown(uid, gid).catch(() => {
      permissions &= OWNER;
    });
  }
  await file.chmod(permissions);
}
