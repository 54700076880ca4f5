import { builtinModule } from "./runtime.ts";

/** An incremental SHA-256. */
export interface IncrementalSha256 {
  update(bytes: Uint8Array): unknown;
  digest(encoding: "hex"): string;
}

interface NodeCrypto {
  readonly createHash?: (algorithm: string) => IncrementalSha256;
}

/**
 * Returns the runtime's incremental SHA-256; null in browsers, because Web Crypto hashes only complete
 * buffers.
 */
export function incrementalSha256(): IncrementalSha256 | null {
  return (builtinModule("node:crypto") as NodeCrypto | undefined)?.createHash?.("sha256") ?? null;
}

/**
 * Returns the SHA-256 of `bytes` in lower-case hex; null without Web Crypto, which browsers have only in
 * secure contexts.
 */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string | null> {
  // The type declares `subtle` as always defined, but it is undefined outside secure contexts.
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  if (!subtle) return null;
  const digest = new Uint8Array(await subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
