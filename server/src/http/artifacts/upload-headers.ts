import { requireChecksum } from "@tierkeep/schema/domain/checksums";
import { requireContentType } from "@tierkeep/schema/domain/content-types";
import { exactJson } from "@tierkeep/schema/domain/exact-numbers";
import { requireIdempotencyKey } from "@tierkeep/schema/domain/idempotency-keys";
import { type Metadata, requireMetadata } from "@tierkeep/schema/domain/metadata";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import type { WriteOptions } from "@tierkeep/schema/services/artifacts";
import { metadataLengthOf } from "./leading-metadata.ts";
import { type AnnouncedDigest, uploadDigestsOf } from "./upload-digests.ts";

export type UploadOptions = Pick<
  WriteOptions,
  "tier" | "contentType" | "metadata" | "checksum" | "ifAbsent" | "ifChecksum" | "idempotencyKey"
> & {
  /** Digests of the content in addition to the checksum. */
  readonly digests: readonly AnnouncedDigest[];
};

/**
 * Returns the options in the headers and query of a PUT. @throws Refused BAD_USER_INPUT, CONTENT_TOO_LARGE
 */
export function uploadOptionsOf(
  headers: Headers,
  query: URLSearchParams,
  maxBytes: number | null,
): UploadOptions {
  refuseMisleading(headers);
  const length = Number(headers.get("content-length") ?? 0) - metadataLengthOf(headers);
  if (maxBytes !== null && length > maxBytes) {
    throw new Refused(
      "CONTENT_TOO_LARGE",
      `The content is larger than the ${maxBytes} bytes that this URL allows. Send smaller content, or raise the limit.`,
    );
  }
  const contentType = headers.get("content-type");
  const { checksum, others: digests } = uploadDigestsOf(headers);
  const idempotencyKey = headers.get("idempotency-key");
  return {
    tier: tierOf(query),
    contentType: contentType === null ? null : requireContentType(contentType, "Content-Type"),
    metadata: metadataOf(headers.get("tierkeep-metadata")),
    checksum,
    digests,
    ifAbsent: ifAbsentOf(headers.get("if-none-match")),
    ifChecksum: ifChecksumOf(headers.get("if-match")),
    idempotencyKey:
      idempotencyKey === null ? undefined : requireIdempotencyKey(idempotencyKey, "Idempotency-Key"),
  };
}

/**
 * Rejects headers that would change the meaning of the body, or that promise a check that does not happen.
 */
function refuseMisleading(headers: Headers): void {
  const encoding = headers.get("content-encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity") {
    throw bad(
      "Content-Encoding",
      "Content-Encoding is not supported: the body's bytes are the content. Send them uncompressed.",
    );
  }
  for (const name of ["Content-Range", "If-Modified-Since", "If-Unmodified-Since"]) {
    if (headers.has(name))
      throw bad(name, `${name} is not supported on a PUT. Send the complete content, with If-Match.`);
  }
}

function tierOf(query: URLSearchParams): Tier {
  const given = query.getAll("tier");
  for (const name of query.keys()) {
    if (name !== "tier")
      throw bad("query", `The URL has the query parameter ${JSON.stringify(name)}; only tier is supported.`);
  }
  const tier = TIERS.find((name) => name === (given[0] ?? "HOT"));
  if (tier === undefined || given.length > 1) throw bad("tier", `tier must be one of ${TIERS.join(", ")}.`);
  return tier;
}

function metadataOf(header: string | null): Metadata {
  if (header === null) return {};
  let value: unknown;
  try {
    if (!/^[A-Za-z0-9_-]*={0,2}$/.test(header)) throw new TypeError("not base64url");
    value = JSON.parse(
      exactJson(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(header, "base64url"))),
    );
  } catch {
    throw bad("Tierkeep-Metadata", "Tierkeep-Metadata must be a JSON object in UTF-8, encoded as base64url.");
  }
  return requireMetadata(value, "Tierkeep-Metadata");
}

function ifAbsentOf(header: string | null): boolean {
  if (header === null) return false;
  if (header.trim() === "*") return true;
  throw bad(
    "If-None-Match",
    "If-None-Match on a PUT must be *, which writes only if the artifact does not exist.",
  );
}

function ifChecksumOf(header: string | null): string | undefined {
  if (header === null) return undefined;
  const checksum = /^[\t ]*"([^"]*)"[\t ]*$/.exec(header)?.[1];
  if (checksum === undefined) {
    throw bad(
      "If-Match",
      'If-Match on a PUT must be one checksum in quotes, such as the ETag of a GET: "…".',
    );
  }
  return requireChecksum(checksum, "If-Match");
}

function bad(argument: string, message: string): Refused {
  return new Refused("BAD_USER_INPUT", message, { argument });
}
