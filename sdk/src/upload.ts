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
  /** The tier to write to. Default: HOT. */
  readonly tier?: Tier | undefined;
  /** The media type. Default: the Blob's type, else chosen by the extension of the artifact id. */
  readonly contentType?: string | undefined;
  /** Metadata to store with the artifact, at most 64 KiB of JSON, else ContentTooLargeError. */
  readonly metadata?: { readonly [key: string]: unknown } | undefined;
  /**
   * SHA-256 that the content must have, in lower-case hex. If it differs: ChecksumMismatchError, and nothing
   * is written.
   */
  readonly checksum?: string | undefined;
  /** Write only if the key does not exist, else PreconditionFailedError. */
  readonly ifAbsent?: boolean | undefined;
  /** Write only if the current content has this checksum, else PreconditionFailedError. */
  readonly ifChecksum?: string | undefined;
  /**
   * Makes a retry safe. A second upload with the same key by the same caller within 24 hours returns the
   * first result and changes nothing; with other content: ConflictError. Default: a new key, if the content
   * can be sent again.
   */
  readonly idempotencyKey?: string | undefined;
  /**
   * Called with the number of bytes handed to the network, from 0 on, and from 0 again on a retry. Browsers
   * do not send streams over HTTP/1.1; there it is called only at the start and the end.
   */
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
}

/**
 * Maximum bytes of metadata in a header, because proxies reject header lines of more than 4 or 8 KiB. Larger
 * metadata is sent in the body, before the content.
 */
const MAX_HEADER_METADATA = 2_048;

/** Like Artifact, without the field that needs a query. */
export type UploadedArtifact = Omit<ArtifactFragment, "nextTransition">;

export interface Uploaded {
  readonly artifact: UploadedArtifact;
  /** True if the key was new; false if the upload replaced an artifact. */
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
        // A stream whose first chunk arrives after the failure is cancelled.
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

/**
 * Returns the base64 of hex digits. Other text is returned unchanged, so that the server rejects it with the
 * argument's name.
 */
function hexToBase64(hex: string): string {
  if (!/^(?:[0-9a-f]{2})+$/i.test(hex)) return hex;
  return btoa(hex.replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16))));
}

function base64Url(bytes: Uint8Array): string {
  // btoa expects one character per byte.
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}
