import { type Cursors, cursorInvalid } from "./keyset-cursor.ts";
import { SealedNumbers } from "./sealed-number.ts";

/** Name of the log in refusals of a cursor. */
export const EVENT_LOG = "this event log";

/** Cursors of the event log: each event's seq, sealed for this epoch of the log. */
export class EventCursors {
  readonly #seqs: SealedNumbers;

  /** @param epoch 16 hex digits @param key 16 bytes, secret */
  constructor(epoch: string, key: Uint8Array) {
    this.#seqs = new SealedNumbers(BigInt(`0x${epoch}`), key);
  }

  encode(seq: number): string {
    return this.#seqs.seal(seq);
  }

  /** Returns the seq in a cursor. Null: it is not a cursor of this log. */
  seqOf(cursor: string): number | null {
    return this.#seqs.open(cursor);
  }

  /** Cursors up to the newest event. A cursor beyond it belongs to a log whose later events were lost. */
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
