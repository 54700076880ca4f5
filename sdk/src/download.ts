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
  /** Only these bytes: from `start`, counted from 0, through `end` (default: the last one); or the `last` so many. */
  readonly range?:
    | { readonly start: number; readonly end?: number | undefined }
    | { readonly last: number }
    | undefined;
  /** Told how many bytes have been read, whenever some have. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

export interface DownloadProgress {
  readonly receivedBytes: number;
  /** As Download's sizeBytes. */
  readonly totalBytes: number;
}

/** An artifact's bytes under way. Read it once, by one of stream, bytes() and text(), or cancel the stream. */
export interface Download {
  /** How many bytes the stream will yield. */
  readonly sizeBytes: number;
  /** SHA-256 of the whole content, lower-case hex. */
  readonly checksum: string;
  readonly contentType: string;
  /** Which bytes these are; null: all. */
  readonly range: { readonly start: number; readonly end: number; readonly totalBytes: number } | null;
  /**
   * The bytes. A whole content is hashed as it passes, and the stream fails at its end with ChecksumMismatchError when
   * they are not the right ones. Where the runtime cannot hash piece by piece (browsers) only bytes() and text() do
   * that, and a stream relies on the server's own check. A range is checked for its length.
   */
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  /** @throws TypeError when the content is not UTF-8 */
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
          throw new ConnectionError(`The answer ended after ${receivedBytes} of ${totalBytes} bytes.`);
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
      "The bytes that arrived do not have the artifact's checksum. Read it again.",
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
    // A byte order mark is content like any other.
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
