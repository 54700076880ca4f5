import { randomUUID } from "node:crypto";
import type { Stats } from "node:fs";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Mode of a new file, which the umask narrows, as for any other program. */
const NEW_FILE = 0o666;
const PERMISSIONS = 0o777;
const OWNER = 0o700;

/**
 * Writes a file whole or not at all: `fill` writes to a temporary file beside it, which takes its place. A file that is
 * replaced leaves its mode, and its owner where the system permits, to the new one: no other user may read the new
 * content who could not read the old one.
 *
 * @throws what `fill` throws, and the system's error for a file that cannot be written
 */
export async function replaceFile(path: string, fill: (file: FileHandle) => Promise<void>): Promise<void> {
  const temporary = join(dirname(path), `.tierkeep-${randomUUID()}.part`);
  const replaced = await stat(path).catch(() => null);
  try {
    const file = await open(temporary, "wx", replaced === null ? NEW_FILE : replaced.mode & OWNER);
    try {
      await fill(file);
      if (replaced !== null) await takeOver(file, replaced);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
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
