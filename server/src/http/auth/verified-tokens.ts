import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Credentials } from "./credentials.ts";

/**
 * For how long a token is taken as it was verified, ms. It expires all the same; but for so long a key may still count
 * that its issuer has taken back.
 */
const MAX_AGE_MS = 10_000;

const MAX_TOKENS = 10_000;

type Verify = (token: string) => Promise<Credentials>;

/** Verifies a token once in a while, and not for each request that comes with it. What was refused is not remembered. */
export function throttled(verify: Verify, now: () => number = Date.now): Verify {
  /** By digest: what is kept lets nobody in. */
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
