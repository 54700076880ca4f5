import { readFile } from "node:fs/promises";
import { createRemoteJWKSet, customFetch } from "jose";

/**
 * How long the keys of a file are cached, in ms. A key that is removed from the file is rejected after that.
 */
const FILE_AGE_MS = 30_000;

/**
 * An issuer's public keys, as a JSON Web Key Set at an http(s): or file: URL. They are read for the first
 * token that needs one, again after 10 minutes (30 s for a file), and for a token with an unknown key, at
 * most every 30 s. `reload()` reads them now.
 */
export function jwtKeys(url: URL): ReturnType<typeof createRemoteJWKSet> {
  if (url.protocol !== "file:") return createRemoteJWKSet(url);
  return createRemoteJWKSet(url, {
    cacheMaxAge: FILE_AGE_MS,
    [customFetch]: async () => new Response(await readFile(url)),
  });
}
