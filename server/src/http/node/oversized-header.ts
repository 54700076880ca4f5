import { Refused } from "@tierkeep/schema/domain/refusals";
import { HttpRefused } from "../problem.ts";

/** Longest value of a parsed header, over all its lines. */
const MAX_PARSED_LENGTH = 4096;

/** Larger, because tokens with many groups or tenants are long. */
const MAX_AUTHORIZATION_LENGTH = 16 * 1024;

/** Headers that this server parses, except Tierkeep-Metadata, which has the limit of metadata. */
const PARSED = new Set([
  "accept",
  "accept-encoding",
  "access-control-request-headers",
  "authorization",
  "content-digest",
  "content-encoding",
  "content-type",
  "digest",
  "expect",
  "host",
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
  "origin",
  "range",
  "repr-digest",
  "sec-websocket-extensions",
  "sec-websocket-protocol",
  "trailer",
  "transfer-encoding",
  "x-amz-trailer",
  "x-goog-hash",
]);

/**
 * Returns the refusal of a request with a header that is too long to be parsed; null if it has none. Parsing
 * headers may take more than linear time and block other clients.
 *
 * @param rawHeaders names and values in turn, as Node provides them
 */
export function oversizedHeader(rawHeaders: readonly string[]): Refused | null {
  const lengths = new Map<string, number>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase();
    if (!PARSED.has(name)) continue;
    const length = (lengths.get(name) ?? 0) + (rawHeaders[at + 1] as string).length;
    lengths.set(name, length);
    const most = name === "authorization" ? MAX_AUTHORIZATION_LENGTH : MAX_PARSED_LENGTH;
    if (length <= most) continue;
    const refused = new Refused(
      "CONTENT_TOO_LARGE",
      `The header ${name} is longer than ${most} bytes. Send a shorter one.`,
      { argument: name },
    );
    return new HttpRefused(refused, { status: 431 });
  }
  return null;
}
