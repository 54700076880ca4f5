import { createCipheriv, createDecipheriv } from "node:crypto";
import { type Cursors, canonicalBytes, cursorInvalid } from "./keyset-cursor.ts";

/** What a refused cursor is no cursor of. */
export const EVENT_LOG = "this event log";

const ALGORITHM = "aes-128-ecb";
const BLOCK_BYTES = 16;

/**
 * Cursors of the event log: one cipher block of (epoch, seq) under the store's key, in base64url. The same event always
 * has the same cursor, and nobody without the key learns from cursors which came first or how many lie between.
 *
 * One block, so the mode that is unfit for longer texts is right here: it is the bare permutation. There is no room for
 * a signature, and none is needed: a forged block has another epoch but for one chance in 2^64.
 */
export class EventCursors {
  readonly #epoch: bigint;
  readonly #key: Uint8Array;

  /** @param epoch 16 hex digits @param key 16 bytes, secret */
  constructor(epoch: string, key: Uint8Array) {
    this.#epoch = BigInt(`0x${epoch}`);
    this.#key = key;
  }

  encode(seq: number): string {
    const block = Buffer.alloc(BLOCK_BYTES);
    block.writeBigUInt64BE(this.#epoch, 0);
    block.writeBigUInt64BE(BigInt(seq), 8);
    return createCipheriv(ALGORITHM, this.#key, null)
      .setAutoPadding(false)
      .update(block)
      .toString("base64url");
  }

  /** Null: no cursor of this log. */
  seqOf(cursor: string): number | null {
    const sealed = canonicalBytes(cursor);
    if (sealed?.length !== BLOCK_BYTES) return null;
    const block = createDecipheriv(ALGORITHM, this.#key, null).setAutoPadding(false).update(sealed);
    if (block.readBigUInt64BE(0) !== this.#epoch) return null;
    const seq = Number(block.readBigUInt64BE(8));
    return Number.isSafeInteger(seq) ? seq : null;
  }

  /** For a log whose newest event is `newest`: a cursor beyond it is of a future that this log never had. */
  upTo(newest: number): Cursors<number> {
    return {
      encode: (seq) => this.encode(seq),
      decode: (cursor, argument) => {
        const seq = this.seqOf(cursor);
        if (seq === null || seq > newest) throw cursorInvalid(argument, EVENT_LOG);
        return seq;
      },
    };
  }
}
