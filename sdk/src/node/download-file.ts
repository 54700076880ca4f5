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
   * Keeps what has arrived when the download fails or is aborted, where it is at least 1 MiB, in a file `.NAME.….part`
   * beside the target, and continues such a file of the same content. It also continues what a process of this machine
   * that was killed has left. Default false.
   */
  readonly resume?: boolean | undefined;
  /** Told of the file that `resume` has kept, before the download fails. */
  readonly onKept?: ((file: { readonly path: string; readonly sizeBytes: number }) => void) | undefined;
}

export interface DownloadedFile {
  readonly sizeBytes: number;
  /** SHA-256, lower-case hex: what the file has. */
  readonly checksum: string;
  readonly contentType: string;
}

/** A server that has answered before is waited for, for about half a minute: it may be restarting. */
const RETRIES_ONCE_BEGUN = 8;

/** A smaller part is not worth a file. */
const WORTH_KEEPING_BYTES = 1024 ** 2;

/**
 * Reads an artifact into a file, and replaces the one that is there. The bytes go to a temporary file beside it, which
 * takes its place once they are complete and have the right checksum. A connection that breaks is taken up again where it
 * broke, as long as bytes arrive. The mode of a file that is replaced is kept; a new one gets the umask's.
 *
 * @throws as `download`, and the system's error for a file that cannot be written
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
    // Content from one connection has been verified as it arrived.
    if (transfer.isWhole || (await checksumOf(written)) === checksum) return;
    throw new TierkeepError(
      "CHECKSUM_MISMATCH",
      "The bytes that arrived do not have the artifact's checksum. Read it again.",
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
    // It was not read where the file could not even be made.
    if (!first.stream.locked) first.stream.cancel().catch(() => {});
    throw error;
  }
  return { sizeBytes: transfer.sizeBytes, checksum, contentType };
}

interface Transfer {
  /** Of the whole content. */
  readonly sizeBytes: number;
  /** How many of its bytes are in the file. */
  receivedBytes: number;
  /** True while all of them came over one connection. */
  isWhole: boolean;
  readonly onProgress: DownloadOptions["onProgress"];
}

/** Writes what arrives to the file. A connection that breaks after some bytes is replaced by one for the rest. */
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

/** Puts a partial file back where a later download finds it, for an error that says nothing about it. */
function restoreAndThrow(path: string, partial: Partial): (error: unknown) => Promise<never> {
  return async (error) => {
    await rename(partial.path, keptPath(path, partial.checksum)).catch(() => {});
    throw error;
  };
}

/** The rest of the content from the partial file's last byte on; null: the artifact has other content by now. */
async function restOf(
  tierkeep: Tierkeep,
  key: ArtifactKey,
  { sizeBytes, checksum }: Partial,
  options: DownloadOptions,
): Promise<Download | null> {
  try {
    // A range after the last byte would be refused where the file is complete.
    const rest = await tierkeep.download(key, { ...options, range: { start: sizeBytes - 1 } });
    if (rest.checksum.startsWith(checksum)) return rest;
    await rest.stream.cancel();
    return null;
  } catch (error) {
    if (error instanceof TierkeepError && error.code === "BAD_USER_INPUT") return null;
    throw error;
  }
}

/** Whether a second download would fail as well: the bytes are wrong, or this machine cannot store them. */
function isFinal(error: unknown): boolean {
  return (
    (error instanceof TierkeepError && error.code === "CHECKSUM_MISMATCH") ||
    (error instanceof Error && "syscall" in error)
  );
}
