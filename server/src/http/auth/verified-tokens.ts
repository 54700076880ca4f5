import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Credentials } from "./credentials.ts";

/**
 * How long a verified token is accepted without another check, in ms. Its expiry is still checked. A key that
 * its issuer has withdrawn may be accepted for this long.
 */
const MAX_AGE_MS = 10_000;

const MAX_TOKENS = 10_000;

type Verify = (token: string) => Promise<Credentials>;

/** Caches successful verifications of tokens. Refused tokens are not cached. */
export function throttled(verify: Verify, now: () => number = Date.now): Verify {
  /** By digest, which is useless as a credential. */
  const verified = new LRUCache<string, { readonly credentials: Credentials; readonly until: number }>({
    max: MAX_TOKENS,
  });
  return async (token) => {
    const digest = hash("sha256", token, "base64");
    const known = verified.get(digest);
    if (known !== undefined && now() < known.until) return known.credentials;
    const began = now();
    const credentials = await verify(token);
    const until = Math.min(began + MAX_AGE_MS, credentials.expiresAt ?? Number.POSITIVE_INFINITY);
    verified.set(digest, { credentials, until });
    return credentials;
  };
}
