import { builtinModule } from "./runtime.ts";
import { chunksOf, streamOf } from "./stream.ts";

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

export interface UploadProgress {
  readonly sentBytes: number;
  /** Null: a stream, whose end nobody knows yet. */
  readonly totalBytes: number | null;
}

const PIECE_BYTES = 65_536;

export function isSource(content: UploadContent): content is ContentSource {
  return typeof content === "object" && "stream" in content;
}

/** False for what is gone once it has been read. */
export function isRepeatable(content: UploadContent): boolean {
  return typeof content !== "object" || isSource(content) || "byteLength" in content;
}

/**
 * The content as fetch takes it, for one request. Progress can be told of by the piece only where fetch sends streams. The
 * first piece of a stream is read here, so that content of a wrong type fails before anything is sent.
 *
 * @param lead bytes that go before the content
 * @param broken told when the content itself fails: fetch would make a failed connection of that
 * @throws TypeError for content that is not text or bytes, or text that is not well-formed
 */
export async function bodyOf(
  content: UploadContent,
  lead: Uint8Array<ArrayBuffer> | undefined,
  onProgress: ((progress: UploadProgress) => void) | undefined,
  broken: (error: unknown) => void,
): Promise<BodyInit> {
  // fetch would declare text to be text/plain, and so overrule the artifact id's ending.
  const given = typeof content === "string" ? utf8Of(content) : content;
  const totalBytes = isSource(given) ? given.size : "byteLength" in given ? given.byteLength : null;
  const whole = given instanceof Blob || "byteLength" in given;
  // Browsers send streams over HTTP/2 at most.
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

/** @throws TypeError for text with a lone surrogate, which UTF-8 cannot express: it would be stored as U+FFFD */
function utf8Of(text: string): Uint8Array<ArrayBuffer> {
  if (/\p{Surrogate}/u.test(text)) throw new TypeError("The text has a lone surrogate.");
  return new TextEncoder().encode(text);
}

/** Being asked for more is how it learns that what it gave before has been taken. */
async function* piecesOf(
  content: Exclude<UploadContent, string>,
  lead: Uint8Array | undefined,
  passed: (bytes: number) => void,
  broken: (error: unknown) => void,
): AsyncGenerator<Uint8Array, void> {
  let bytes = 0;
  // The first half of a surrogate pair whose second half is in the next piece.
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
        // By its name: one of another realm, such as a test runner's, is none of this realm's instances.
        if (nameOf(chunk) !== "[object Uint8Array]") throw unusable(chunk);
      }
      // A Blob in memory comes as one chunk, however large.
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
    `Content is text, bytes, a Blob, or a stream of text and Uint8Arrays, not ${nameOf(value)}.`,
  );
}

function nameOf(value: unknown): string {
  return Object.prototype.toString.call(value);
}
