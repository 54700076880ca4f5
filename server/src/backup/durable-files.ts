import { createHash } from "node:crypto";
import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";

const CHUNK_BYTES = 1024 * 1024;

/** What a file is, so that it can be told whether it still is. */
export interface FileFacts {
  readonly sizeBytes: number;
  /** SHA-256, lower-case hex. */
  readonly checksum: string;
}

/** Copies a file, or its first `bytes`, into a new one that only this user reads. Its bytes are durable, not yet its name. */
export async function copyFileDurably(
  from: string,
  to: string,
  bytes = Number.POSITIVE_INFINITY,
): Promise<FileFacts> {
  const hash = createHash("sha256");
  const source = await open(from, "r");
  try {
    const target = await open(to, "wx", 0o600);
    try {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      let sizeBytes = 0;
      while (sizeBytes < bytes) {
        const { bytesRead } = await source.read(
          chunk,
          0,
          Math.min(CHUNK_BYTES, bytes - sizeBytes),
          sizeBytes,
        );
        if (bytesRead === 0) break;
        const read = chunk.subarray(0, bytesRead);
        hash.update(read);
        await target.appendFile(read);
        sizeBytes += bytesRead;
      }
      await target.sync();
      return { sizeBytes, checksum: hash.digest("hex") };
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

export async function factsOfFile(path: string): Promise<FileFacts> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  const file = await open(path, "r");
  for await (const chunk of file.createReadStream({ highWaterMark: CHUNK_BYTES })) {
    hash.update(chunk as Buffer);
    sizeBytes += (chunk as Buffer).length;
  }
  return { sizeBytes, checksum: hash.digest("hex") };
}

/** Puts a new file in its place, whole or not at all, and durable when it resolves. */
export async function placeFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncPath(dirname(path));
}

/** Makes a file's bytes, or a folder's names, durable. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
