import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Tierkeep } from "../client.ts";
import type { DownloadOptions } from "../download.ts";
import type { ArtifactKey } from "../endpoint.ts";

export interface DownloadedFile {
  readonly sizeBytes: number;
  /** SHA-256, lower-case hex: what the file has. */
  readonly checksum: string;
  readonly contentType: string;
}

/**
 * Reads an artifact into a file, and replaces the one that is there. The bytes go to a temporary file beside it, which
 * takes its place once they are all there and have the right checksum: what has this name is never half of anything.
 *
 * @throws as `download`, and the system's error for a file that cannot be written
 */
export async function downloadFile(
  tierkeep: Tierkeep,
  key: ArtifactKey,
  path: string,
  options?: Omit<DownloadOptions, "range">,
): Promise<DownloadedFile> {
  const temporary = join(dirname(path), `.tierkeep-${randomUUID()}.part`);
  const { stream, sizeBytes, checksum, contentType } = await tierkeep.download(key, options);
  try {
    const file = await open(temporary, "wx");
    try {
      for await (const chunk of stream) await file.writeFile(chunk);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    // Nobody has read it where the file could not even be made.
    if (!stream.locked) stream.cancel().catch(() => {});
    await rm(temporary, { force: true });
    throw error;
  }
  return { sizeBytes, checksum, contentType };
}
