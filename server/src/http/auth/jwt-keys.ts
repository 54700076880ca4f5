import { readFile } from "node:fs/promises";
import { createRemoteJWKSet, customFetch } from "jose";

/** For how long a file's keys are taken as they were read, in ms: a key that is taken out of it is good no longer. */
const FILE_AGE_MS = 30_000;

/**
 * An issuer's public keys, as a JSON Web Key Set at an http(s): or file: URL. They are read when the first token needs
 * one, again when they have grown old (10 minutes; a file's 30 s), and when a token names one that is not among them,
 * though not more than every 30 s. `reload()` reads them now.
 */
export function jwtKeys(url: URL): ReturnType<typeof createRemoteJWKSet> {
  if (url.protocol !== "file:") return createRemoteJWKSet(url);
  return createRemoteJWKSet(url, {
    cacheMaxAge: FILE_AGE_MS,
    [customFetch]: async () => new Response(await readFile(url)),
  });
}
