import { builtinModule } from "./runtime.ts";
import { chunksOf, streamOf } from "./stream.ts";
import type { UploadOptions } from "./upload.ts";

/** Content that can be read from its start any number of times: a Blob, a File, or what the package's node entry makes of a path. */
export interface ContentSource {
  readonly size: number;
  /** Its media type; empty or not there: unknown. */
  readonly type?: string;
  stream(): ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** What an artifact may be made of. Text is sent as UTF-8; streams are sent as they come and never held whole. */
export type UploadContent =
  | string
  | Uint8Array
  | ArrayBuffer
  | Blob
  | ContentSource
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>;

const PIECE_BYTES = 65_536;

export function isSource(content: UploadContent): content is ContentSource {
  return typeof content === "object" && "stream" in content;
}

/** False for what is gone once it has been read. */
export function isRepeatable(content: UploadContent): boolean {
  return typeof content !== "object" || isSource(content) || "byteLength" in content;
}

/**
 * The content as fetch takes it, for one request. Progress can be told of by the piece only where fetch sends streams.
 *
 * @param broken told when the content itself fails: fetch would make a failed connection of that
 */
export function bodyOf(
  content: UploadContent,
  onProgress: UploadOptions["onProgress"],
  broken: (error: unknown) => void,
): BodyInit {
  // fetch would declare text to be text/plain, and so overrule the artifact id's ending.
  const given = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const totalBytes = isSource(given) ? given.size : "byteLength" in given ? given.byteLength : null;
  const whole = given instanceof Blob || "byteLength" in given;
  // Browsers send streams over HTTP/2 at most.
  if (whole && !(onProgress && builtinModule("node:stream"))) {
    onProgress?.({ sentBytes: 0, totalBytes });
    return given as BodyInit;
  }
  const pieces = piecesOf(given, (sentBytes) => onProgress?.({ sentBytes, totalBytes }), broken);
  return streamOf(pieces, () => pieces.return());
}

/** Being asked for more is how it learns that what it gave before has been taken. */
async function* piecesOf(
  content: Exclude<UploadContent, string>,
  passed: (bytes: number) => void,
  broken: (error: unknown) => void,
): AsyncGenerator<Uint8Array, void> {
  const encoder = new TextEncoder();
  let bytes = 0;
  try {
    passed(bytes);
    for await (const piece of iterableOf(content)) {
      const chunk = typeof piece === "string" ? encoder.encode(piece) : piece;
      // A Blob in memory comes as one chunk, however large.
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        const part = chunk.subarray(at, at + PIECE_BYTES);
        yield part;
        bytes += part.length;
        passed(bytes);
      }
    }
  } catch (error) {
    broken(error);
    throw error;
  }
}

function iterableOf(
  content: Exclude<UploadContent, string>,
): AsyncIterable<Uint8Array | string> | Iterable<Uint8Array> {
  if ("byteLength" in content) return [content instanceof ArrayBuffer ? new Uint8Array(content) : content];
  const pieces = isSource(content) ? content.stream() : content;
  return pieces instanceof ReadableStream ? chunksOf(pieces) : pieces;
}
