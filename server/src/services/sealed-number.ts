import { createCipheriv, createDecipheriv } from "node:crypto";

const ALGORITHM = "aes-128-ecb";
const BLOCK_BYTES = 16;

/** Longer than any cursor of ours: three names of 200 bytes, each byte escaped, in base64. */
const MAX_TEXT_LENGTH = 8192;

/**
 * Numbers that clients carry about but may not read: one cipher block of (tag, number) under the store's key, in
 * base64url. The same number is always the same text, and nobody without the key learns from two of them which is
 * greater, or how many lie between.
 *
 * One block, so the mode that is unfit for longer texts is right here: it is the bare permutation. There is no room for
 * a signature, and none is needed: a forged block has another tag but for one chance in 2^64.
 */
export class SealedNumbers {
  readonly #tag: bigint;
  readonly #key: Uint8Array;

  /** @param tag tells numbers of one kind from others, 64 bits @param key 16 bytes, secret */
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

  /** Null: it was not sealed here, or as another kind. */
  open(text: string): number | null {
    const sealed = canonicalBytes(text);
    if (sealed?.length !== BLOCK_BYTES) return null;
    const block = createDecipheriv(ALGORITHM, this.#key, null).setAutoPadding(false).update(sealed);
    if (block.readBigUInt64BE(0) !== this.#tag) return null;
    const number = Number(block.readBigUInt64BE(8));
    return Number.isSafeInteger(number) ? number : null;
  }
}

/** The bytes of an unpadded base64url text; null for any other text, also for a second spelling of the same bytes. */
export function canonicalBytes(text: string): Buffer | null {
  if (text.length > MAX_TEXT_LENGTH) return null;
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : null;
}
