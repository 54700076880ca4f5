import { Refused } from "../../domain/refusals.ts";
import type { Artifact } from "../../services/artifacts.ts";
import type { GraphQLContext } from "../execution/context.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The content for an answer's text or base64; null over the server's limit.
 *
 * @throws Refused QUERY_TOO_COMPLEX once one request has asked for too much; CONFLICT where the content was replaced or
 * purged after the row was read, since bytes of another version would contradict the row's checksum
 */
export async function inlineContent(
  artifact: Artifact,
  { services, reads }: GraphQLContext,
): Promise<Uint8Array | null> {
  if (artifact.sizeBytes > services.limits.maxInlineBytes) return null;
  // Each field counts, even where two show the same bytes: it is the answer that is limited.
  reads.spendInline(artifact.sizeBytes);
  const bytes = await reads.loaders.content(artifact);
  if (bytes !== null) return bytes;
  throw new Refused("CONFLICT", "The artifact was replaced or purged while it was being read. Ask again.");
}

/** Null: not valid UTF-8. A byte order mark is content, and kept. */
export function utf8Text(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}
