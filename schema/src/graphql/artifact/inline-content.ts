import { Refused } from "../../domain/refusals.ts";
import type { Artifact } from "../../services/artifacts.ts";
import type { GraphQLContext } from "../execution/context.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Returns the content for `text` or `base64`; null if it is larger than the server's inline limit.
 *
 * @throws Refused QUERY_TOO_COMPLEX over 16 MiB in one request; CONFLICT if the content was replaced or
 * purged after the row was read: bytes of another version would contradict the row's checksum
 */
export async function inlineContent(
  artifact: Artifact,
  { services, reads }: GraphQLContext,
): Promise<Uint8Array | null> {
  if (artifact.sizeBytes > services.limits.maxInlineBytes) return null;
  // Each field counts, even if two return the same bytes: the limit is that of the response.
  reads.spendInline(artifact.sizeBytes);
  const bytes = await reads.loaders.content(artifact);
  if (bytes !== null) return bytes;
  throw new Refused(
    "CONFLICT",
    "The artifact was replaced or purged while it was being read. Retry the request.",
  );
}

/** Decodes UTF-8; returns null if the bytes are not valid. A byte order mark is content and is kept. */
export function utf8Text(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
