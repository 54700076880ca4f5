/** The properties that conditional requests refer to. */
export interface Validators {
  /** With its quotes. */
  readonly etag: string;
  /** ms since the epoch. */
  readonly lastModified: number;
}

/**
 * RFC 9110, section 13.2.2, for GET and HEAD. Null: the read continues; otherwise the status of the response.
 */
export function readPrecondition(headers: Headers, { etag, lastModified }: Validators): 304 | 412 | null {
  const seconds = Math.floor(lastModified / 1000);
  const ifMatch = headers.get("if-match");
  const since = instant(headers.get("if-unmodified-since"));
  if (ifMatch !== null ? !lists(ifMatch, etag, false) : since !== null && seconds > since) return 412;
  const ifNoneMatch = headers.get("if-none-match");
  const modifiedSince = instant(headers.get("if-modified-since"));
  if (
    ifNoneMatch !== null ? lists(ifNoneMatch, etag, true) : modifiedSince !== null && seconds <= modifiedSince
  ) {
    return 304;
  }
  return null;
}

/** Returns whether a Range header applies: If-Range is absent, or names exactly this content. */
export function rangeApplies(headers: Headers, { etag, lastModified }: Validators, now: number): boolean {
  const ifRange = headers.get("if-range");
  if (ifRange === null) return true;
  if (ifRange.includes('"')) return ifRange.trim() === etag;
  // A date identifies a content only once the second of its write is over.
  const seconds = Math.floor(lastModified / 1000);
  return instant(ifRange) === seconds && Math.floor(now / 1000) > seconds;
}

const ENTITY_TAG = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g;

function lists(header: string, etag: string, weakly: boolean): boolean {
  if (header.trim() === "*") return true;
  for (const [tag, weak] of header.matchAll(ENTITY_TAG)) {
    if (weak === undefined ? tag === etag : weakly && tag === `W/${etag}`) return true;
  }
  return false;
}

/** Seconds since the epoch. Null if absent or not a date. */
function instant(header: string | null): number | null {
  if (header === null || !/^[A-Z][a-z]{2,8},? /.test(header)) return null;
  const parsed = Date.parse(header);
  return Number.isNaN(parsed) ? null : Math.floor(parsed / 1000);
}
