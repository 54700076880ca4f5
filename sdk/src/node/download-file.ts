import { type FileHandle, rename, rm } from "node:fs/promises";
import type { Tierkeep } from "../client.ts";
import type { Download, DownloadOptions } from "../download.ts";
import type { ArtifactKey } from "../endpoint.ts";
import { ConnectionError, TierkeepError } from "../errors.ts";
import { checksumOf } from "./checksum-of.ts";
import { keptPath, type Partial, takePartial, workingPath } from "./partial-file.ts";
import { replaceFile } from "./replace-file.ts";

export interface DownloadFileOptions extends Omit<DownloadOptions, "range"> {
  /**
   * If the download fails or is aborted, keeps the received bytes (at least 1 MiB) in a file `.NAME.….part`
   * in the target's folder. A later download of the same content continues such a file. It also continues the
   * file of a killed process of this machine. Default: false.
   */
  readonly resume?: boolean | undefined;
  /** Called with the file that `resume` keeps, before the download fails. */
  readonly onKept?: ((file: { readonly path: string; readonly sizeBytes: number }) => void) | undefined;
}

export interface DownloadedFile {
  readonly sizeBytes: number;
  /** SHA-256 of the file, in lower-case hex. */
  readonly checksum: string;
  readonly contentType: string;
}

/** Number of retries after the first bytes: about half a minute, enough for a restart of the server. */
const RETRIES_ONCE_BEGUN = 8;

/** Minimum bytes of a partial file to keep. */
const WORTH_KEEPING_BYTES = 1024 ** 2;

/**
 * Reads an artifact into a file, and replaces an existing file. The bytes are written to a temporary file in
 * the same folder, which is renamed when they are complete and their checksum is verified. After a broken
 * connection, the download continues at the same position, as long as each connection delivers bytes. A
 * replaced file keeps its mode; a new file gets its mode from the umask.
 *
 * @throws the errors of `download`; the system's error if the file cannot be written
 */
export async function downloadFile(
  tierkeep: Tierkeep,
  key: ArtifactKey,
  path: string,
  { resume = false, onKept, onProgress, ...options }: DownloadFileOptions = {},
): Promise<DownloadedFile> {
  const partial = resume ? await takePartial(path) : null;
  const rest =
    partial && (await restOf(tierkeep, key, partial, options).catch(restoreAndThrow(path, partial)));
  if (partial !== null && rest === null) await rm(partial.path, { force: true });
  const first = rest ?? (await tierkeep.download(key, options));
  const { checksum, contentType } = first;
  const transfer: Transfer = {
    sizeBytes: first.range?.totalBytes ?? first.sizeBytes,
    receivedBytes: first.range?.start ?? 0,
    isWhole: first.range === null,
    onProgress,
  };

  async function fill(file: FileHandle, written: string): Promise<void> {
    await receive(tierkeep, key, options, first, file, transfer);
    // Content from a single connection was verified while it was received.
    if (transfer.isWhole || (await checksumOf(written)) === checksum) return;
    throw new TierkeepError(
      "CHECKSUM_MISMATCH",
      "The received bytes do not have the artifact's checksum. Retry the download.",
    );
  }

  function keep(error: unknown): string | null {
    const { receivedBytes: sizeBytes } = transfer;
    if (!resume || sizeBytes < WORTH_KEEPING_BYTES || isFinal(error)) return null;
    const kept = keptPath(path, checksum);
    onKept?.({ path: kept, sizeBytes });
    return kept;
  }

  try {
    const temporary = rest !== null ? partial?.path : resume ? workingPath(path, checksum) : undefined;
    await replaceFile(path, fill, { temporary, isBegun: rest !== null, keep });
  } catch (error) {
    // The stream is unread if the file could not be created.
    if (!first.stream.locked) first.stream.cancel().catch(() => {});
    throw error;
  }
  return { sizeBytes: transfer.sizeBytes, checksum, contentType };
}

interface Transfer {
  /** Size of the complete content. */
  readonly sizeBytes: number;
  /** Number of its bytes in the file. */
  receivedBytes: number;
  /** True if all bytes came over a single connection. */
  isWhole: boolean;
  readonly onProgress: DownloadOptions["onProgress"];
}

/**
 * Writes the received bytes to the file. If a connection breaks after some bytes, requests the rest over a
 * new one.
 */
async function receive(
  tierkeep: Tierkeep,
  key: ArtifactKey,
  options: DownloadOptions,
  first: Download,
  file: FileHandle,
  transfer: Transfer,
): Promise<void> {
  for (let download = first; ; ) {
    const before = transfer.receivedBytes;
    try {
      for await (const chunk of download.stream) {
        await writeAll(file, chunk, transfer.receivedBytes);
        transfer.receivedBytes += chunk.length;
        transfer.onProgress?.({ receivedBytes: transfer.receivedBytes, totalBytes: transfer.sizeBytes });
      }
      return;
    } catch (error) {
      const moved = transfer.receivedBytes > before && transfer.receivedBytes < transfer.sizeBytes;
      if (!(error instanceof ConnectionError) || !moved || options.retries === 0) throw error;
      const rest = await tierkeep.download(key, {
        retries: RETRIES_ONCE_BEGUN,
        ...options,
        range: { start: transfer.receivedBytes },
      });
      if (rest.checksum !== first.checksum) {
        await rest.stream.cancel();
        throw error;
      }
      transfer.isWhole = false;
      download = rest;
    }
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

/**
 * Returns an error handler that moves a partial file back, so that a later download finds it, and throws the
 * error.
 */
function restoreAndThrow(path: string, partial: Partial): (error: unknown) => Promise<never> {
  return async (error) => {
    await rename(partial.path, keptPath(path, partial.checksum)).catch(() => {});
    throw error;
  };
}

/**
 * Requests the content from the partial file's last byte on; returns null if the artifact has other content
 * now.
 */
async function restOf(
  tierkeep: Tierkeep,
  key: ArtifactKey,
  { sizeBytes, checksum }: Partial,
  options: DownloadOptions,
): Promise<Download | null> {
  try {
    // If the file is complete, the server would reject a range after the last byte.
    const rest = await tierkeep.download(key, { ...options, range: { start: sizeBytes - 1 } });
    if (rest.checksum.startsWith(checksum)) return rest;
    await rest.stream.cancel();
    return null;
  } catch (error) {
    if (error instanceof TierkeepError && error.code === "BAD_USER_INPUT") return null;
    throw error;
  }
}

/**
 * Returns true if another download would fail too: the bytes are wrong, or this machine cannot store them.
 */
function isFinal(error: unknown): boolean {
  return (
    (error instanceof TierkeepError && error.code === "CHECKSUM_MISMATCH") ||
    (error instanceof Error && "syscall" in error)
  );
}
