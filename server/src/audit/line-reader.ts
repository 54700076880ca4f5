import { closeSync, openSync, readSync } from "node:fs";

const PIECE_BYTES = 256 * 1024;
/** Far above any line of the log. A longer one is treated as damage and not kept in memory. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** Reads a file that may still grow, line by line. */
export class LineReader implements Disposable {
  readonly #file: number;
  readonly #piece = Buffer.allocUnsafe(PIECE_BYTES);
  #held: Buffer = Buffer.alloc(0);
  #lines = 0;

  constructor(path: string) {
    this.#file = openSync(path, "r");
  }

  /** Number of lines read, which is the number of the last one. */
  get lineNumber(): number {
    return this.#lines;
  }

  /** Returns the next line with its newline. Null: there is no complete line (yet). */
  next(): Buffer | null {
    for (let searched = 0; ; ) {
      const newline = this.#held.indexOf(0x0a, searched);
      if (newline !== -1) {
        const line = this.#held.subarray(0, newline + 1);
        this.#held = this.#held.subarray(newline + 1);
        this.#lines += 1;
        return line;
      }
      searched = this.#held.length;
      if (searched > MAX_LINE_BYTES || !this.#fill()) return null;
    }
  }

  /** Returns whether no bytes follow, not even an incomplete line. */
  atEnd(): boolean {
    return this.#held.length === 0 && !this.#fill();
  }

  #fill(): boolean {
    const read = readSync(this.#file, this.#piece, 0, PIECE_BYTES, null);
    this.#held = Buffer.concat([this.#held, this.#piece.subarray(0, read)]);
    return read > 0;
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }
}
