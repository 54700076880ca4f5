import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeDirectories } from "../files/make-directories.ts";

/** Modes of LOG_DIR and its files, narrowed by the umask. The group may read, for log shippers. */
export const LOG_MODES = { directory: 0o750, file: 0o640 } as const;

/** Makes written bytes durable. The exporter passes its own, which runs one sync at a time. */
export type Sync = (handle: FileHandle) => Promise<void>;

/**
 * Opens a file for reading and writing, and creates it with its folder if it is missing. Its name is durable.
 */
export async function openLogFile(directory: string, file: string, sync: Sync): Promise<FileHandle> {
  const path = join(directory, file);
  const handle = (await openExisting(path)) ?? (await create(directory, path, sync));
  try {
    if (!(await handle.stat()).isFile()) throw new Error(`${file} is not a regular file`);
    // Also for an existing file: a crash may have interrupted its creation.
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
    // A user who may write to this directory could make the server append to any file that the server may
    // write.
    throw new Error(
      `${path} is a symbolic link, which the audit log does not follow. Replace it with a regular file`,
      {
        cause: error,
      },
    );
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
 * Returns whether the file at `path` is still the one of `handle` and has this size.
 * @throws the system's error if it cannot be opened for writing
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

/** Returns fewer bytes if the file ends before. */
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

/**
 * Returns the line that ends at `end`, with its newline, or the bytes in its place. Empty at the start of the
 * file.
 */
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
