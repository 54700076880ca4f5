import type { Caller } from "./caller.ts";
import type { RequestOptions } from "./document.ts";
import { type ArtifactKey, artifactUrl } from "./endpoint.ts";
import type { Tier } from "./generated/enums.ts";
import type { ArtifactFragment } from "./generated/types.ts";
import { newIdempotencyKey } from "./idempotency-key.ts";
import { answerOf, isRecord, unexpected } from "./refusals.ts";
import { repeat } from "./repeat.ts";
import { bodyOf, isRepeatable, isSource, type UploadContent, type UploadProgress } from "./upload-body.ts";

export interface UploadOptions extends RequestOptions {
  /** Default HOT. */
  readonly tier?: Tier | undefined;
  /** Default: the Blob's own type, else by the artifact id's ending. */
  readonly contentType?: string | undefined;
  readonly metadata?: { readonly [key: string]: unknown } | undefined;
  /** SHA-256 that the content must have, lower-case hex, else ChecksumMismatchError and nothing is written. */
  readonly checksum?: string | undefined;
  /** PreconditionFailedError where the key exists. */
  readonly ifAbsent?: boolean | undefined;
  /** PreconditionFailedError unless the current content has this checksum. */
  readonly ifChecksum?: string | undefined;
  /**
   * An upload under a key that the server has seen from you in the last 24 h answers as the first did and changes
   * nothing; other content under it is a ConflictError. Default: a new key where the content can be sent again.
   */
  readonly idempotencyKey?: string | undefined;
  /**
   * Told how many bytes have been handed to the network, from 0 on, and from 0 again when the upload is repeated.
   * Browsers send no stream to an HTTP/1.1 server, so there it is told of the start and the end only.
   */
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
}

/** Bytes of metadata that go into a header: proxies refuse header lines of more than 4 or 8 KiB. More goes before the content. */
const MAX_HEADER_METADATA = 2_048;

/** As Artifact, but for what takes a query. */
export type UploadedArtifact = Omit<ArtifactFragment, "nextTransition">;

export interface Uploaded {
  readonly artifact: UploadedArtifact;
  /** False where it replaced one. */
  readonly created: boolean;
}

export async function upload(
  caller: Caller,
  key: ArtifactKey,
  content: UploadContent,
  options: UploadOptions,
): Promise<Uploaded> {
  const url = artifactUrl(caller.endpoint, key);
  if (options.tier !== undefined) url.searchParams.set("tier", options.tier);
  const headers = new Headers({ accept: "application/json" });
  const contentType = options.contentType ?? (isSource(content) ? (content.type ?? "") : "");
  if (contentType !== "") headers.set("content-type", contentType);
  let lead: Uint8Array<ArrayBuffer> | undefined;
  if (options.metadata) {
    const metadata = new TextEncoder().encode(JSON.stringify(options.metadata));
    if (metadata.length <= MAX_HEADER_METADATA) headers.set("tierkeep-metadata", base64Url(metadata));
    else {
      lead = metadata;
      headers.set("tierkeep-metadata-length", String(metadata.length));
    }
  }
  if (options.ifAbsent) headers.set("if-none-match", "*");
  if (options.ifChecksum !== undefined) headers.set("if-match", `"${options.ifChecksum}"`);
  if (options.checksum !== undefined)
    headers.set("repr-digest", `sha-256=:${hexToBase64(options.checksum)}:`);

  const repeatable = isRepeatable(content);
  const idempotencyKey = options.idempotencyKey ?? (repeatable ? newIdempotencyKey() : undefined);
  if (idempotencyKey !== undefined) headers.set("idempotency-key", idempotencyKey);

  const limit = caller.deadline(options);
  try {
    return await repeat(limit, repeatable ? (options.retries ?? caller.retries) : 0, async () => {
      let broken: { readonly error: unknown } | undefined;
      const fail = (error: unknown) => {
        broken = { error };
      };
      const preparing = bodyOf(content, lead, options.onProgress, fail);
      preparing.catch(fail);
      try {
        const body = await limit.race(preparing);
        const response = await caller.fetch(url.href, { method: "PUT", headers, body }, options, limit);
        const uploaded = await limit.race(uploadedOf(response));
        const { sizeBytes } = uploaded.artifact;
        options.onProgress?.({ sentBytes: sizeBytes, totalBytes: sizeBytes });
        return uploaded;
      } catch (error) {
        // A stream whose first piece comes too late is given up.
        preparing
          .then((body) => (body instanceof ReadableStream ? body.cancel() : undefined))
          .catch(() => {});
        throw broken ? broken.error : error;
      }
    });
  } finally {
    limit.clear();
  }
}

async function uploadedOf(response: Response): Promise<Uploaded> {
  const body = await answerOf(response);
  if (!isRecord(body.artifact)) throw unexpected(response);
  return body as unknown as Uploaded;
}

/** What is not hex is sent as it is, for the server to refuse by name. */
function hexToBase64(hex: string): string {
  if (!/^(?:[0-9a-f]{2})+$/i.test(hex)) return hex;
  return btoa(hex.replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16))));
}

function base64Url(bytes: Uint8Array): string {
  // btoa takes a character a byte.
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}
