import type { Tierkeep } from "../client.ts";
import type { DownloadOptions } from "../download.ts";
import type { ArtifactKey } from "../endpoint.ts";
import { replaceFile } from "./replace-file.ts";

export interface DownloadedFile {
  readonly sizeBytes: number;
  /** SHA-256, lower-case hex: what the file has. */
  readonly checksum: string;
  readonly contentType: string;
}

/**
 * Reads an artifact into a file, and replaces the one that is there. The bytes go to a temporary file beside it, which
 * takes its place once they are all there and have the right checksum: what has this name is never half of anything.
 * The mode of a file that is replaced is kept; a new one gets the umask's.
 *
 * @throws as `download`, and the system's error for a file that cannot be written
 */
export async function downloadFile(
  tierkeep: Tierkeep,
  key: ArtifactKey,
  path: string,
  options?: Omit<DownloadOptions, "range">,
): Promise<DownloadedFile> {
  const { stream, sizeBytes, checksum, contentType } = await tierkeep.download(key, options);
  try {
    await replaceFile(path, async (file) => {
      for await (const chunk of stream) await file.writeFile(chunk);
    });
  } catch (error) {
    // It was not read where the file could not even be made.
    if (!stream.locked) stream.cancel().catch(() => {});
    throw error;
  }
  return { sizeBytes, checksum, contentType };
}
