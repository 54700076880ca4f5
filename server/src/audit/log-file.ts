import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeDirectories } from "../files/make-directories.ts";

/** Modes of LOG_DIR and its files, narrowed by the umask: the group may read, for programs that ship logs. */
export const LOG_MODES = { directory: 0o750, file: 0o640 } as const;

/** Makes what was written durable; the exporter hands it its one sync at a time. */
export type Sync = (handle: FileHandle) => Promise<void>;

/** Opens a file to read and write; one that is not there is created, with its folder. Its name is durable either way. */
export async function openLogFile(directory: string, file: string, sync: Sync): Promise<FileHandle> {
  const path = join(directory, file);
  const handle = (await openExisting(path)) ?? (await create(directory, path, sync));
  try {
    if (!(await handle.stat()).isFile()) throw new Error(`${file} is no regular file`);
    // Also of one that was there: a crash may have come between its creation and this.
    await syncDirectory(directory, sync);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openExisting(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch (error) {
    if (isAbsent(error)) return null;
    if ((error as NodeJS.ErrnoException).code !== "ELOOP") throw error;
    // Another user who may write to this directory could make the server append to any of its files.
    throw new Error(`${path} is a symbolic link, and the audit log follows none. Put a file in its place`, {
      cause: error,
    });
  }
}

async function create(directory: string, path: string, sync: Sync): Promise<FileHandle> {
  const made = await makeDirectories(directory, LOG_MODES.directory);
  if (made !== null) await syncDirectory(dirname(made), sync);
  return await open(path, "wx+", LOG_MODES.file);
}

async function syncDirectory(directory: string, sync: Sync): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await sync(handle);
  } finally {
    await handle.close();
  }
}

/**
 * False: the file at `path` is another one than `handle`'s, or has another size. Fails with the system's error where it
 * cannot be opened for writing.
 */
export async function isUnchanged(handle: FileHandle, path: string, size: number): Promise<boolean> {
  const named = await openExisting(path);
  if (named === null) return false;
  try {
    const [ours, theirs] = await Promise.all([handle.stat(), named.stat()]);
    return ours.dev === theirs.dev && ours.ino === theirs.ino && theirs.size === size;
  } finally {
    await named.close();
  }
}

/** Fewer bytes where the file ends before. */
export async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

export async function writeAt(handle: FileHandle, position: number, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

const PIECE_BYTES = 4096;

/** The line that ends at `end`, newline included, or what stands there instead of one; empty at the file's start. */
export async function lineBefore(handle: FileHandle, end: number): Promise<Buffer> {
  for (let length = Math.min(end, PIECE_BYTES); ; length = Math.min(end, length * 2)) {
    const bytes = await readAt(handle, end - length, length);
    const newline = bytes.lastIndexOf(0x0a, -2);
    if (bytes.length > 1 && newline !== -1) return bytes.subarray(newline + 1);
    if (length === end) return bytes;
  }
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
