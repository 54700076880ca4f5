import type { Caller } from "./caller.ts";
import type { Deadline } from "./deadline.ts";
import type { RequestOptions } from "./document.ts";
import { type ArtifactKey, artifactUrl } from "./endpoint.ts";
import { ConnectionError, TierkeepError } from "./errors.ts";
import { answerOf, unexpected } from "./refusals.ts";
import { repeat } from "./repeat.ts";
import { incrementalSha256, sha256 } from "./sha256.ts";
import { chunksOf, streamOf } from "./stream.ts";

export interface DownloadOptions extends RequestOptions {
  /**
   * A range of bytes: from `start` (counted from 0) through `end` (inclusive; default: the last byte), or the
   * `last` bytes.
   */
  readonly range?:
    | { readonly start: number; readonly end?: number | undefined }
    | { readonly last: number }
    | undefined;
  /** Called with the number of received bytes after each chunk. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

export interface DownloadProgress {
  readonly receivedBytes: number;
  /** Like Download.sizeBytes. */
  readonly totalBytes: number;
}

/** A download in progress. Read it once, with `stream`, bytes() or text(), or cancel the stream. */
export interface Download {
  /** Number of bytes that the stream yields. */
  readonly sizeBytes: number;
  /** SHA-256 of the artifact's complete content, in lower-case hex. */
  readonly checksum: string;
  readonly contentType: string;
  /** The range of bytes; null for the complete content. */
  readonly range: { readonly start: number; readonly end: number; readonly totalBytes: number } | null;
  /**
   * The bytes. Complete content is hashed while it is read; if the checksum is wrong, the stream fails at its
   * end with ChecksumMismatchError. Browsers cannot hash incrementally: there, only bytes() and text() verify
   * the checksum. For a range, only the length is verified.
   */
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Returns all bytes. @throws ChecksumMismatchError if they do not have the checksum */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  /** Returns the content as text. @throws TypeError if it is not UTF-8; ChecksumMismatchError as for bytes() */
  text(): Promise<string>;
}

export async function download(
  caller: Caller,
  key: ArtifactKey,
  options: DownloadOptions,
): Promise<Download> {
  const headers = new Headers();
  if (options.range) headers.set("range", rangeHeader(options.range));
  const limit = caller.deadline(options);
  try {
    return await repeat(limit, options.retries ?? caller.retries, async () => {
      const url = artifactUrl(caller.endpoint, key).href;
      const response = await caller.fetch(url, { method: "GET", headers }, options, limit);
      if (response.status !== 200 && response.status !== 206) {
        await limit.race(answerOf(response));
        throw unexpected(response);
      }
      return downloadOf(response, limit, options.onProgress);
    });
  } catch (error) {
    limit.clear();
    throw error;
  }
}

function downloadOf(
  response: Response,
  limit: Deadline,
  onProgress: DownloadOptions["onProgress"],
): Download {
  const checksum = header(response, "etag", /^"([0-9a-f]{64})"$/);
  const totalBytes = Number(header(response, "content-length", /^(\d+)$/));
  const range = response.status === 206 ? contentRange(response) : null;
  const hash = range === null ? incrementalSha256() : null;
  const reader = (response.body ?? new Blob().stream()).getReader();
  const end = (): Promise<void> => {
    limit.clear();
    return reader.cancel();
  };

  async function* checked(): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
    let receivedBytes = 0;
    try {
      for (;;) {
        const { done, value } = await limit.race(reader.read());
        receivedBytes += value?.length ?? 0;
        if (receivedBytes > totalBytes || (done && receivedBytes < totalBytes)) {
          throw new ConnectionError(`The server sent ${receivedBytes} of ${totalBytes} bytes.`);
        }
        if (done) break;
        hash?.update(value);
        onProgress?.({ receivedBytes, totalBytes });
        yield value;
      }
      if (hash) requireChecksum(hash.digest("hex"));
    } finally {
      end().catch(() => {});
    }
  }

  function requireChecksum(found: string | null): void {
    if (found === null || found === checksum) return;
    throw new TierkeepError(
      "CHECKSUM_MISMATCH",
      "The received bytes do not have the artifact's checksum. Retry the download.",
      { checksum: found },
    );
  }

  const stream = streamOf(checked(), end);

  async function bytes(): Promise<Uint8Array<ArrayBuffer>> {
    const all = new Uint8Array(totalBytes);
    let filled = 0;
    for await (const chunk of chunksOf(stream)) {
      all.set(chunk, filled);
      filled += chunk.length;
    }
    if (range === null && hash === null) requireChecksum(await sha256(all));
    return all;
  }

  return {
    sizeBytes: totalBytes,
    checksum,
    contentType: response.headers.get("content-type") ?? "application/octet-stream",
    range,
    stream,
    bytes,
    // A byte order mark is part of the content.
    text: async () => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await bytes()),
  };
}

function header(response: Response, name: string, pattern: RegExp): string {
  const value = pattern.exec(response.headers.get(name) ?? "")?.[1];
  if (value === undefined) throw unexpected(response);
  return value;
}

function rangeHeader(range: NonNullable<DownloadOptions["range"]>): string {
  return "last" in range ? `bytes=-${range.last}` : `bytes=${range.start}-${range.end ?? ""}`;
}

function contentRange(response: Response): NonNullable<Download["range"]> {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(response.headers.get("content-range") ?? "");
  if (!match) throw unexpected(response);
  return { start: Number(match[1]), end: Number(match[2]), totalBytes: Number(match[3]) };
}
