import { createCipheriv, createDecipheriv } from "node:crypto";

const ALGORITHM = "aes-128-ecb";
const BLOCK_BYTES = 16;

/** Longer than any valid cursor: three names of 200 bytes, with each byte escaped, in base64. */
const MAX_TEXT_LENGTH = 8192;

/**
 * Numbers in client-visible text that clients cannot read: one cipher block of (tag, number) under the
 * store's key, in base64url. The same number always gives the same text. Without the key, two texts do not
 * show which number is greater or how far apart they are.
 *
 * ECB is safe here because there is only one block, so it is the plain permutation. There is no space for a
 * signature, and none is needed: a forged block has the right tag with probability 2^-64.
 */
export class SealedNumbers {
  readonly #tag: bigint;
  readonly #key: Uint8Array;

  /** @param tag separates kinds of numbers, 64 bits @param key 16 bytes, secret */
  constructor(tag: bigint, key: Uint8Array) {
    this.#tag = tag;
    this.#key = key;
  }

  /** @param number a safe integer, at least 0 */
  seal(number: number): string {
    const block = Buffer.alloc(BLOCK_BYTES);
    block.writeBigUInt64BE(this.#tag, 0);
    block.writeBigUInt64BE(BigInt(number), 8);
    return createCipheriv(ALGORITHM, this.#key, null)
      .setAutoPadding(false)
      .update(block)
      .toString("base64url");
  }

  /** Null if the text was not sealed with this key and tag. */
  open(text: string): number | null {
    const sealed = canonicalBytes(text);
    if (sealed?.length !== BLOCK_BYTES) return null;
    const block = createDecipheriv(ALGORITHM, this.#key, null).setAutoPadding(false).update(sealed);
    if (block.readBigUInt64BE(0) !== this.#tag) return null;
    const number = Number(block.readBigUInt64BE(8));
    return Number.isSafeInteger(number) ? number : null;
  }
}

/**
 * Returns the bytes of an unpadded base64url text. Null for any other text, including a second spelling of
 * the same bytes.
 */
export function canonicalBytes(text: string): Buffer | null {
  if (text.length > MAX_TEXT_LENGTH) return null;
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : null;
}
