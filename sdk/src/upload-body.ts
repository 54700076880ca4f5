import { builtinModule } from "./runtime.ts";
import { chunksOf, streamOf } from "./stream.ts";

/**
 * Content that can be read repeatedly from its start: a Blob, a File, or the result of fileContent in
 * `@tierkeep/sdk/node`.
 */
export interface ContentSource {
  readonly size: number;
  /** Its media type; empty or absent if unknown. */
  readonly type?: string;
  stream(): ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;
}

/**
 * Content of an artifact. Text is sent as UTF-8. Streams are sent chunk by chunk and never buffered
 * completely.
 */
export type UploadContent =
  | string
  | Uint8Array
  | ArrayBuffer
  | Blob
  | ContentSource
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>;

export interface UploadProgress {
  readonly sentBytes: number;
  /** Null for a stream of unknown size. */
  readonly totalBytes: number | null;
}

const PIECE_BYTES = 65_536;

export function isSource(content: UploadContent): content is ContentSource {
  return typeof content === "object" && "stream" in content;
}

/** Returns true if the content can be read again; false for streams. */
export function isRepeatable(content: UploadContent): boolean {
  return typeof content !== "object" || isSource(content) || "byteLength" in content;
}

/**
 * Returns the content as a body for one fetch. Progress is reported by the chunk only if the runtime's fetch
 * sends streams. The first chunk of a stream is read here, so that content of an invalid type fails before
 * the request is sent.
 *
 * @param lead bytes to send before the content
 * @param broken called with an error of the content itself, which fetch would report as a failed connection
 * @throws TypeError for content that is not text or bytes, or text that is not well-formed
 */
export async function bodyOf(
  content: UploadContent,
  lead: Uint8Array<ArrayBuffer> | undefined,
  onProgress: ((progress: UploadProgress) => void) | undefined,
  broken: (error: unknown) => void,
): Promise<BodyInit> {
  // fetch would send text as text/plain, which would override the extension of the artifact id.
  const given = typeof content === "string" ? utf8Of(content) : content;
  const totalBytes = isSource(given) ? given.size : "byteLength" in given ? given.byteLength : null;
  const whole = given instanceof Blob || "byteLength" in given;
  // Browsers do not send streams over HTTP/1.1.
  if (whole && !(onProgress && builtinModule("node:stream"))) {
    onProgress?.({ sentBytes: 0, totalBytes });
    return lead ? new Blob([lead, given as BlobPart]) : (given as BodyInit);
  }
  const pieces = piecesOf(given, lead, (sentBytes) => onProgress?.({ sentBytes, totalBytes }), broken);
  let first: IteratorResult<Uint8Array, void> | null = await pieces.next();
  const next = () => {
    const held = first;
    first = null;
    return held ? Promise.resolve(held) : pieces.next();
  };
  return streamOf({ next }, () => pieces.return());
}

/**
 * Encodes text. @throws TypeError for a lone surrogate: UTF-8 cannot express it, so it would be stored as
 * U+FFFD
 */
function utf8Of(text: string): Uint8Array<ArrayBuffer> {
  if (/\p{Surrogate}/u.test(text)) throw new TypeError("The text contains a lone surrogate.");
  return new TextEncoder().encode(text);
}

/** Yields the content in chunks. A chunk counts as sent when the next one is requested. */
async function* piecesOf(
  content: Exclude<UploadContent, string>,
  lead: Uint8Array | undefined,
  passed: (bytes: number) => void,
  broken: (error: unknown) => void,
): AsyncGenerator<Uint8Array, void> {
  let bytes = 0;
  // The first half of a surrogate pair whose second half is in the next chunk.
  let half = "";
  try {
    passed(bytes);
    if (lead) yield lead;
    for await (const piece of iterableOf(content)) {
      let chunk = piece;
      if (typeof chunk === "string") {
        const text = half + chunk;
        half = /[\ud800-\udbff]$/.exec(text)?.[0] ?? "";
        chunk = utf8Of(half ? text.slice(0, -1) : text);
      } else {
        utf8Of(half);
        // Checked by name: a Uint8Array of another realm, such as a test runner's, is not an instance of this
        // realm's class.
        if (nameOf(chunk) !== "[object Uint8Array]") throw unusable(chunk);
      }
      // A Blob in memory arrives as one chunk of any size.
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        const part = chunk.subarray(at, at + PIECE_BYTES);
        yield part;
        bytes += part.length;
        passed(bytes);
      }
    }
    utf8Of(half);
  } catch (error) {
    broken(error);
    throw error;
  }
}

function iterableOf(
  content: Exclude<UploadContent, string>,
): AsyncIterable<Uint8Array | string> | Iterable<Uint8Array> {
  if (ArrayBuffer.isView(content)) {
    return [new Uint8Array(content.buffer, content.byteOffset, content.byteLength)];
  }
  if ("byteLength" in content) return [new Uint8Array(content)];
  const pieces = isSource(content) ? content.stream() : content;
  if (pieces instanceof ReadableStream) return chunksOf(pieces);
  if (Symbol.asyncIterator in pieces) return pieces;
  throw unusable(pieces);
}

function unusable(value: unknown): TypeError {
  return new TypeError(
    `Content must be text, bytes, a Blob, or a stream of text and Uint8Arrays, not ${nameOf(value)}.`,
  );
}

function nameOf(value: unknown): string {
  return Object.prototype.toString.call(value);
}
