import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Disk } from "../files/disk.ts";

const CHUNK_BYTES = 1024 * 1024;

/** Facts by which a changed file is detected. */
export interface FileFacts {
  readonly sizeBytes: number;
  /** SHA-256, lower-case hex. */
  readonly checksum: string;
}

/**
 * Copies a file, or its first `bytes`, into a new one that only this user can read; null: it does not exist.
 * The copy's bytes are durable when it resolves, its name is not yet.
 */
export async function copyFile(
  disk: Disk,
  from: string,
  to: string,
  bytes = Number.POSITIVE_INFINITY,
): Promise<FileFacts | null> {
  const source = disk.open(from);
  if (source === null) return null;
  try {
    return await writeNew(disk, to, (write) => readAll(disk, source, bytes, write));
  } finally {
    disk.close(source);
  }
}

/** Returns the size and hash of a file. Null: the file does not exist. */
export async function factsOfFile(disk: Disk, path: string): Promise<FileFacts | null> {
  const file = disk.open(path);
  if (file === null) return null;
  try {
    return await readAll(disk, file, Number.POSITIVE_INFINITY, () => {});
  } finally {
    disk.close(file);
  }
}

/**
 * Writes a file atomically, durable when it resolves. See replaceFile in files/ for the same without a
 * `Disk`.
 */
export async function placeFile(disk: Disk, path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeNew(disk, temporary, async (write) => write(Buffer.from(text)));
  disk.rename("backup.file.rename", temporary, path);
  disk.fsyncDirectory("backup.directory.fsync", dirname(path));
}

/** Makes a file of another writer durable, and readable by this user only. */
export function seal(disk: Disk, path: string): void {
  const file = disk.open(path);
  if (file === null) throw new Error(`${path} does not exist`);
  try {
    disk.chmod("backup.file.mode", file, 0o600);
    disk.fsync("backup.file.fsync", file);
  } finally {
    disk.close(file);
  }
}

async function writeNew<T>(
  disk: Disk,
  path: string,
  fill: (write: (bytes: Uint8Array) => void) => Promise<T>,
): Promise<T> {
  const file = disk.create("backup.file.create", path);
  try {
    disk.chmod("backup.file.mode", file, 0o600);
    const filled = await fill((bytes) => disk.append("backup.file.append", file, bytes));
    disk.fsync("backup.file.fsync", file);
    return filled;
  } finally {
    disk.close(file);
  }
}

async function readAll(
  disk: Disk,
  file: number,
  bytes: number,
  onChunk: (chunk: Uint8Array) => void,
): Promise<FileFacts> {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let sizeBytes = 0;
  while (sizeBytes < bytes) {
    const count = disk.read(file, buffer.subarray(0, Math.min(CHUNK_BYTES, bytes - sizeBytes)), sizeBytes);
    if (count === 0) break;
    const chunk = buffer.subarray(0, count);
    hash.update(chunk);
    onChunk(chunk);
    sizeBytes += count;
    // Disk calls are synchronous; this lets other work run, such as a cancellation.
    await nextTurn();
  }
  return { sizeBytes, checksum: hash.digest("hex") };
}
