import { builtinModule } from "./runtime.ts";
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

/** The content as fetch takes it, for one request. Progress can be told of by the piece only where fetch sends streams. */
export function bodyOf(content: UploadContent, onProgress: UploadOptions["onProgress"]): BodyInit {
  // fetch would declare text to be text/plain, and so overrule the artifact id's ending.
  const given = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const totalBytes = isSource(given) ? given.size : "byteLength" in given ? given.byteLength : null;
  const whole = given instanceof Blob || "byteLength" in given;
  // Browsers send streams over HTTP/2 at most.
  if (whole && !(onProgress && builtinModule("node:stream"))) {
    onProgress?.({ sentBytes: 0, totalBytes });
    return given as BodyInit;
  }
  if (given instanceof ReadableStream && !onProgress) return given;
  const pieces = "byteLength" in given ? piecesOf(given) : isSource(given) ? given.stream() : given;
  return streamOf(iteratorOf(pieces), (sentBytes) => onProgress?.({ sentBytes, totalBytes }));
}

function streamOf(
  iterator: AsyncIterator<Uint8Array | string>,
  passed: (bytes: number) => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let bytes = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // Being asked for more is how a stream learns that what it gave before has been taken.
        passed(bytes);
        const { done, value } = await iterator.next();
        if (done) return controller.close();
        const chunk = typeof value === "string" ? encoder.encode(value) : value;
        bytes += chunk.length;
        controller.enqueue(chunk);
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Streams cannot be iterated in every browser. */
function iteratorOf(
  pieces: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string>,
): AsyncIterator<Uint8Array | string> {
  if (!(pieces instanceof ReadableStream)) return pieces[Symbol.asyncIterator]();
  const reader = pieces.getReader();
  return {
    next: () => reader.read() as Promise<IteratorResult<Uint8Array>>,
    async return() {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
}

async function* piecesOf(content: Uint8Array | ArrayBuffer): AsyncGenerator<Uint8Array> {
  const bytes = content instanceof ArrayBuffer ? new Uint8Array(content) : content;
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}
