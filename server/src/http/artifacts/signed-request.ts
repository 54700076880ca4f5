import { Refused } from "@tierkeep/schema/domain/refusals";
import type { UploadTerms } from "@tierkeep/schema/services/urls";
import type { Permission } from "../../services/signed-urls.ts";
import { unauthenticated } from "../auth/credentials.ts";
import { artifactKeyOf } from "./artifact-path.ts";
import type { UploadOptions } from "./upload-headers.ts";

/** The query parameter that makes a URL a signed one. */
export const SIGNED = "signed";

export function signedOf(request: Request): string | null {
  return new URL(request.url).searchParams.get(SIGNED);
}

/** What the URL permits, where that is this method on this path. @throws Refused UNAUTHENTICATED, whatever is wrong with it */
export async function requirePermission(
  method: string,
  path: string,
  signed: string,
  open: (signed: string) => Promise<Permission | null>,
): Promise<Permission> {
  const permission = await open(signed);
  if (permission === null) throw unauthenticated("a signed URL that is not, or no longer, good");
  const { key, upload } = permission;
  const fits = method === "PUT" ? upload !== null : /^(?:GET|HEAD)$/.test(method) && upload === null;
  const { tenantId, workflowId, artifactId } = artifactKeyOf(path);
  if (!fits || tenantId !== key.tenantId || workflowId !== key.workflowId || artifactId !== key.artifactId) {
    throw unauthenticated("a signed URL that is for something else");
  }
  return permission;
}

/**
 * The options of an upload by a signed URL: the URL's terms hold, and the request may add what they leave open, except
 * metadata.
 *
 * @throws Refused CHECKSUM_MISMATCH where the request announces other content than the URL is for
 */
export function termsFirst(terms: UploadTerms | null, asked: UploadOptions): UploadOptions {
  if (terms === null) return asked;
  if (terms.checksum !== null && asked.checksum !== undefined && asked.checksum !== terms.checksum) {
    throw new Refused(
      "CHECKSUM_MISMATCH",
      "The request announces content with another checksum than this URL is for.",
      { argument: "checksum" },
    );
  }
  return {
    tier: terms.tier,
    contentType: terms.contentType ?? asked.contentType,
    metadata: {},
    checksum: terms.checksum ?? asked.checksum,
    digests: asked.digests,
    ifAbsent: terms.ifAbsent || asked.ifAbsent === true,
    ifChecksum: terms.ifChecksum ?? asked.ifChecksum,
    idempotencyKey: undefined,
  };
}

/** @throws Refused CONTENT_TOO_LARGE, from the iteration, as soon as more has come */
export async function* atMost(
  maxBytes: number | null,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (maxBytes !== null && bytes > maxBytes) {
      throw new Refused(
        "CONTENT_TOO_LARGE",
        `The content is larger than the ${maxBytes} bytes that this URL takes.`,
      );
    }
    yield chunk;
  }
}
