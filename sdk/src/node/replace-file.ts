import { randomUUID } from "node:crypto";
import type { Stats } from "node:fs";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Mode of a new file, which the umask narrows, as for any other program. */
const NEW_FILE = 0o666;
const PERMISSIONS = 0o777;
const OWNER = 0o700;

export interface ReplaceOptions {
  /** Path of the temporary file, in the same folder. Default: a name that nothing else has. */
  readonly temporary?: string | undefined;
  /** True: the temporary file is there, with what an earlier call has written. Default false. */
  readonly isBegun?: boolean | undefined;
  /** Returns where to keep the temporary file after this error; null, the default: it is deleted. */
  readonly keep?: ((error: unknown) => string | null) | undefined;
}

/**
 * Writes a file whole or not at all: `fill` writes to a temporary file beside it, which takes its place. A file that is
 * replaced leaves its mode, and its owner where the system permits, to the new one: no other user may read the new
 * content who could not read the old one.
 *
 * @throws what `fill` throws, and the system's error for a file that cannot be written
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
    // Without its group, the group's permissions would be another group's.
    await file.chown(uid, gid).catch(() => {
      permissions &= OWNER;
    });
  }
  await file.chmod(permissions);
}
