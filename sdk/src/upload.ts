import type { Caller } from "./caller.ts";
import { type ArtifactKey, artifactUrl } from "./endpoint.ts";
import type { Tier } from "./generated/enums.ts";
import type { ArtifactFragment } from "./generated/types.ts";
import type { RequestOptions } from "./operation.ts";
import { isRecord, refusalOfResponse, unexpected } from "./refusals.ts";

/** What an artifact may be made of. Text is sent as UTF-8; streams are sent as they come and never held whole. */
export type UploadContent =
  | string
  | Uint8Array
  | ArrayBuffer
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>;

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
}

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
  const contentType = options.contentType ?? (content instanceof Blob ? content.type : "");
  if (contentType !== "") headers.set("content-type", contentType);
  if (options.metadata) headers.set("tierkeep-metadata", base64Url(JSON.stringify(options.metadata)));
  if (options.ifAbsent) headers.set("if-none-match", "*");
  if (options.ifChecksum !== undefined) headers.set("if-match", `"${options.ifChecksum}"`);
  if (options.checksum !== undefined)
    headers.set("repr-digest", `sha-256=:${hexToBase64(options.checksum)}:`);

  const { response, deadline } = await caller.call(
    url.href,
    { method: "PUT", headers, body: bodyOf(content) },
    options,
    Number.POSITIVE_INFINITY,
  );
  try {
    return await deadline.race(uploadedOf(response));
  } finally {
    deadline.clear();
  }
}

async function uploadedOf(response: Response): Promise<Uploaded> {
  if (!response.ok) throw await refusalOfResponse(response);
  const body: unknown = await response.json().catch((cause: unknown) => {
    throw unexpected(response, cause);
  });
  if (!isRecord(body) || !isRecord(body.artifact)) throw unexpected(response);
  return body as unknown as Uploaded;
}

function bodyOf(content: UploadContent): BodyInit {
  // fetch would declare text to be text/plain, and so overrule the artifact id's ending.
  if (typeof content === "string") return new TextEncoder().encode(content);
  if (content instanceof Uint8Array || content instanceof ArrayBuffer) return content as BodyInit;
  if (content instanceof Blob || content instanceof ReadableStream) return content;
  return streamOf(content);
}

function streamOf(content: AsyncIterable<Uint8Array | string>): ReadableStream<Uint8Array> {
  const iterator = content[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(typeof value === "string" ? encoder.encode(value) : value);
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}

function base64Url(text: string): string {
  return base64(new TextEncoder().encode(text)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** What is not hex is sent as it is, for the server to refuse by name. */
function hexToBase64(hex: string): string {
  if (!/^(?:[0-9a-f]{2})+$/i.test(hex)) return hex;
  return base64(Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)));
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
