import { Refused } from "@tierkeep/schema/domain/refusals";
import type { UploadTerms } from "@tierkeep/schema/services/urls";
import type { Permission } from "../../services/signed-urls.ts";
import { unauthenticated } from "../auth/credentials.ts";
import { artifactKeyOf } from "./artifact-path.ts";
import type { UploadOptions } from "./upload-headers.ts";

/** Query parameter of a signed URL. */
export const SIGNED = "signed";

export function signedOf(request: Request): string | null {
  return new URL(request.url).searchParams.get(SIGNED);
}

/**
 * Returns the permission of a signed URL for this method and path.
 * @throws Refused UNAUTHENTICATED if it is invalid for any reason
 */
export async function requirePermission(
  method: string,
  path: string,
  signed: string,
  open: (signed: string) => Promise<Permission | null>,
): Promise<Permission> {
  const permission = await open(signed);
  if (permission === null) throw unauthenticated("a signed URL that is invalid or has expired");
  const { key, upload } = permission;
  const fits = method === "PUT" ? upload !== null : /^(?:GET|HEAD)$/.test(method) && upload === null;
  const { tenantId, workflowId, artifactId } = artifactKeyOf(path);
  if (!fits || tenantId !== key.tenantId || workflowId !== key.workflowId || artifactId !== key.artifactId) {
    throw unauthenticated("a signed URL for another path or method");
  }
  return permission;
}

/**
 * Returns the options of an upload by a signed URL. The URL's terms take precedence; the request may set what
 * they leave open, except metadata.
 *
 * @throws Refused CHECKSUM_MISMATCH if the request announces other content than the URL allows
 */
export function termsFirst(terms: UploadTerms | null, requested: UploadOptions): UploadOptions {
  if (terms === null) return requested;
  if (terms.checksum !== null && requested.checksum !== undefined && requested.checksum !== terms.checksum) {
    throw new Refused(
      "CHECKSUM_MISMATCH",
      "The request announces a checksum that differs from the one that this URL requires. Send the required content, or request another URL.",
      { argument: "checksum" },
    );
  }
  return {
    tier: terms.tier,
    contentType: terms.contentType ?? requested.contentType,
    metadata: {},
    checksum: terms.checksum ?? requested.checksum,
    digests: requested.digests,
    ifAbsent: terms.ifAbsent || requested.ifAbsent === true,
    ifChecksum: terms.ifChecksum ?? requested.ifChecksum,
    idempotencyKey: undefined,
  };
}

/** @throws Refused CONTENT_TOO_LARGE during iteration, as soon as more than `maxBytes` arrive */
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
        `The content is larger than the ${maxBytes} bytes that this URL allows. Send smaller content, or raise the limit.`,
      );
    }
    yield chunk;
  }
}
