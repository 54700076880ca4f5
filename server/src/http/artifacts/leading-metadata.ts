import { exactJson } from "@tierkeep/schema/domain/exact-numbers";
import { MAX_METADATA_BYTES, type Metadata, requireMetadata } from "@tierkeep/schema/domain/metadata";
import { Refused } from "@tierkeep/schema/domain/refusals";

/**
 * Header of a PUT whose body starts with metadata as JSON: the number of its bytes. Proxies reject header
 * lines of more than 4 or 8 KiB, so larger metadata does not fit into Tierkeep-Metadata.
 */
const METADATA_LENGTH = "tierkeep-metadata-length";

/**
 * Returns the number of bytes of metadata at the start of the body; 0: none.
 *
 * @throws Refused BAD_USER_INPUT, CONTENT_TOO_LARGE
 */
export function metadataLengthOf(headers: Headers): number {
  const header = headers.get(METADATA_LENGTH);
  if (header === null) return 0;
  if (!/^[1-9]\d{0,8}$/.test(header)) {
    throw bad("Tierkeep-Metadata-Length must be the number of bytes of metadata at the start of the body.");
  }
  if (headers.has("tierkeep-metadata")) {
    throw bad("Tierkeep-Metadata and Tierkeep-Metadata-Length exclude each other. Send one of them.");
  }
  if (Number(header) <= MAX_METADATA_BYTES) return Number(header);
  throw new Refused(
    "CONTENT_TOO_LARGE",
    `The metadata is ${header} bytes of JSON; at most ${MAX_METADATA_BYTES} are allowed.`,
    { argument: "Tierkeep-Metadata-Length" },
  );
}

/**
 * Splits a body into the metadata at its start and the content after it. Reads only the metadata.
 *
 * @throws Refused BAD_USER_INPUT if the body ends too early or does not start with a JSON object; errors of
 * the body
 */
export async function splitBody(
  body: AsyncIterable<Uint8Array>,
  length: number,
): Promise<{ readonly metadata: Metadata; readonly content: AsyncIterable<Uint8Array> }> {
  const iterator = body[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  try {
    for (let read = 0; read < length; ) {
      const { done, value } = await iterator.next();
      if (done) throw bad(`The body ends after ${read} of ${length} bytes of metadata.`);
      chunks.push(value);
      read += value.byteLength;
    }
    const start = Buffer.concat(chunks);
    const metadata = metadataIn(start.subarray(0, length));
    return { metadata, content: rest(start.subarray(length), iterator) };
  } catch (error) {
    await iterator.return?.();
    throw error;
  }
}

async function* rest(first: Uint8Array, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (first.byteLength > 0) yield first;
    for (;;) {
      const { done, value } = await iterator.next();
      if (done) return;
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}

function metadataIn(bytes: Uint8Array): Metadata {
  let value: unknown;
  try {
    value = JSON.parse(exactJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch {
    throw bad("The body must start with metadata: a JSON object in UTF-8.");
  }
  return requireMetadata(value, "metadata");
}

function bad(message: string): Refused {
  return new Refused("BAD_USER_INPUT", message, { argument: "Tierkeep-Metadata-Length" });
}
