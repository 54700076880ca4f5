import { builtinModule } from "./runtime.ts";

/** A SHA-256 that takes its bytes piece by piece. */
export interface IncrementalSha256 {
  update(bytes: Uint8Array): unknown;
  digest(encoding: "hex"): string;
}

interface NodeCrypto {
  readonly createHash?: (algorithm: string) => IncrementalSha256;
}

/** The runtime's own incremental SHA-256; null in browsers, whose Web Crypto can only hash what it is given whole. */
export function incrementalSha256(): IncrementalSha256 | null {
  return (builtinModule("node:crypto") as NodeCrypto | undefined)?.createHash?.("sha256") ?? null;
}

/** SHA-256 of `bytes` in lower-case hex; null where the page may not hash (Web Crypto is for secure contexts only). */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string | null> {
  // What is undefined outside of secure contexts is declared as always there.
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  if (!subtle) return null;
  const digest = new Uint8Array(await subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
