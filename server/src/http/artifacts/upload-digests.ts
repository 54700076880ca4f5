import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { Refused } from "@tierkeep/schema/domain/refusals";

type Algorithm = "md5" | "sha1" | "sha256" | "sha512" | "crc32";

/** A digest of the content that the request announces. */
export interface AnnouncedDigest {
  /** The header of the digest. */
  readonly header: string;
  readonly algorithm: Algorithm;
  readonly bytes: Buffer;
}

export interface UploadDigests {
  /** SHA-256 in lower-case hex, which the store computes anyway. */
  readonly checksum: string | undefined;
  /** Digests that `checked` computes. */
  readonly others: readonly AnnouncedDigest[];
}

const LENGTHS: Readonly<Record<Algorithm, number>> = { md5: 16, sha1: 20, sha256: 32, sha512: 64, crc32: 4 };

/** Names of algorithms in RFC 9530, RFC 3230 and the headers of object stores. */
const NAMES: Readonly<Record<string, Algorithm>> = {
  md5: "md5",
  sha: "sha1",
  sha1: "sha1",
  "sha-256": "sha256",
  sha256: "sha256",
  "sha-512": "sha512",
  sha512: "sha512",
  crc32: "crc32",
};

/** Headers with one digest in base64. */
const BASE64_HEADERS: Readonly<Record<string, string>> = {
  "content-md5": "md5",
  "x-ms-blob-content-md5": "md5",
  "x-ms-content-crc64": "crc64",
};

/** Headers with a list of digests: name=:base64: in RFC 9530, name=base64 elsewhere. */
const LIST_HEADERS: Readonly<Record<string, RegExp>> = {
  "repr-digest": /^([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):$/,
  "content-digest": /^([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):$/,
  digest: /^(?:id-)?([a-z0-9-]+)=([A-Za-z0-9+/]*={0,2})$/i,
  "x-goog-hash": /^([a-z0-9-]+)=([A-Za-z0-9+/]*={0,2})$/i,
};

/** Not digests, although they share a prefix with digest headers. */
const NOT_DIGESTS = /^x-amz-checksum-(?:algorithm|mode|type)$/;

/**
 * Returns all digests that a PUT announces in its headers.
 *
 * @throws Refused BAD_USER_INPUT for a malformed digest or an unsupported algorithm: an unchecked digest
 * would suggest an integrity check that does not happen
 */
export function uploadDigestsOf(headers: Headers): UploadDigests {
  refuseTrailers(headers);
  const digests = [...headers].flatMap(([header, value]) => digestsIn(header, value));
  const checksums = new Set(
    digests.filter(({ algorithm }) => algorithm === "sha256").map(({ bytes }) => bytes.toString("hex")),
  );
  if (checksums.size > 1) {
    throw bad("Repr-Digest", "The request announces two different SHA-256 digests of its content.");
  }
  const [checksum] = checksums;
  return { checksum, others: digests.filter(({ algorithm }) => algorithm !== "sha256") };
}

/** Passes on `body`. Fails at its end with CHECKSUM_MISMATCH unless it has all these digests. */
export async function* checked(
  body: AsyncIterable<Uint8Array>,
  digests: readonly AnnouncedDigest[],
): AsyncGenerator<Uint8Array> {
  const running = digests.map((digest) => ({ ...digest, ...computing(digest.algorithm) }));
  for await (const chunk of body) {
    for (const { update } of running) update(chunk);
    yield chunk;
  }
  for (const { header, bytes, digest } of running) {
    if (digest().equals(bytes)) continue;
    throw new Refused(
      "CHECKSUM_MISMATCH",
      `The content that arrived does not have the digest in ${header}. Send it again.`,
      { argument: header },
    );
  }
}

function computing(algorithm: Algorithm): { update(chunk: Uint8Array): unknown; digest(): Buffer } {
  if (algorithm !== "crc32") return boundHash(algorithm);
  let value = 0;
  return {
    update(chunk) {
      value = crc32(chunk, value);
    },
    digest() {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    },
  };
}

function boundHash(algorithm: string) {
  const hash = createHash(algorithm);
  return { update: (chunk: Uint8Array) => hash.update(chunk), digest: () => hash.digest() };
}

function digestsIn(header: string, value: string): readonly AnnouncedDigest[] {
  const list = LIST_HEADERS[header];
  if (list !== undefined) return listed(header, value, list);
  const single = BASE64_HEADERS[header] ?? /^x-amz-checksum-(.*)$/.exec(header)?.[1];
  if (single !== undefined) {
    return NOT_DIGESTS.test(header) ? [] : [announced(header, single, value.trim(), "base64")];
  }
  if (header === "x-amz-content-sha256") {
    return value === "UNSIGNED-PAYLOAD" ? [] : [announced(header, "sha256", value.trim(), "hex")];
  }
  const hex = /^x-checksum-(.*)$/.exec(header)?.[1];
  return hex === undefined ? [] : [announced(header, hex, value.trim(), "hex")];
}

/** Supported digests are checked. A list is rejected only if it has no supported digest (RFC 9530). */
function listed(header: string, value: string, form: RegExp): readonly AnnouncedDigest[] {
  const found: AnnouncedDigest[] = [];
  let problem: unknown = null;
  for (const member of value.split(",")) {
    const [, name = "", digest = ""] = form.exec(member.trim()) ?? [];
    try {
      found.push(announced(header, name, digest, "base64"));
    } catch (error) {
      if (NAMES[name.toLowerCase()] === "sha256") throw error;
      problem ??= error;
    }
  }
  if (found.length === 0) throw problem;
  return found;
}

function announced(header: string, name: string, text: string, encoding: "base64" | "hex"): AnnouncedDigest {
  if (name === "") {
    throw bad(
      header,
      `${header} is malformed. Send Repr-Digest: sha-256=:DIGEST: with the SHA-256 in base64.`,
    );
  }
  const algorithm = NAMES[name.toLowerCase()];
  if (algorithm === undefined) {
    throw bad(
      header,
      `${header} announces a digest of an unsupported algorithm (${name.slice(0, 40)}). Send SHA-256 in Repr-Digest, or no digest.`,
    );
  }
  const bytes = Buffer.from(text, encoding);
  const isValid =
    bytes.length === LENGTHS[algorithm] &&
    (encoding === "base64"
      ? bytes.toString("base64") === text
      : bytes.toString("hex") === text.toLowerCase());
  if (isValid) return { header, algorithm, bytes };
  throw bad(header, `${header} does not hold a ${name} digest in ${encoding}.`);
}

/** Rejects digests in trailers, because they would not be checked. */
function refuseTrailers(headers: Headers): void {
  for (const name of ["trailer", "x-amz-trailer"]) {
    const fields = (headers.get(name) ?? "").split(",").map((field) => field.trim().toLowerCase());
    for (const field of fields) {
      const isDigest =
        field in LIST_HEADERS || field in BASE64_HEADERS || /^x-(?:amz-)?checksum-/.test(field);
      if (isDigest) throw bad(name, `${field} is read from the headers only, not from a trailer.`);
    }
  }
}

function bad(argument: string, message: string): Refused {
  return new Refused("BAD_USER_INPUT", message, { argument });
}
