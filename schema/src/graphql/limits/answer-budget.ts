import { Refused } from "../../domain/refusals.ts";
import type { Charge } from "../../services/charge.ts";

/** Bytes that are charged to the caller's memory at once: asking for each value would cost more than the values. */
const CHARGE_STEP = 64 * 1024;

/**
 * Counts the bytes of one answer while its fields resolve, so that an answer which is too large is refused before it is
 * built. The count is that of the answer's JSON, without white space, to within a few percent.
 */
export class AnswerBudget {
  readonly #maxBytes: number;
  readonly #charge: Charge;
  #bytes = 0;
  #charged = 0;
  #refused: Refused | null = null;

  constructor(maxBytes: number, charge: Charge) {
    this.#maxBytes = maxBytes;
    this.#charge = charge;
  }

  /** Bytes counted so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes that the answer may still have. */
  get left(): number {
    return this.#maxBytes - this.#bytes;
  }

  /** Why the answer is refused; null: it is not. */
  get refused(): Refused | null {
    return this.#refused;
  }

  /**
   * Counts `bytes` more.
   *
   * @throws Refused QUERY_TOO_COMPLEX over the limit, RATE_LIMITED where the caller has no memory left; the same for
   * every value that follows
   */
  add(bytes: number): void {
    if (this.#refused !== null) throw this.#refused;
    this.#bytes += bytes;
    if (this.#bytes > this.#maxBytes) throw this.#refuse(tooLarge(this.#maxBytes));
    if (this.#bytes - this.#charged < CHARGE_STEP) return;
    try {
      this.#charge.add(this.#bytes - this.#charged);
      this.#charged = this.#bytes;
    } catch (error) {
      throw this.#refuse(error as Refused);
    }
  }

  /** @throws Refused once the answer has been refused: nothing more is to be read for it */
  require(): void {
    if (this.#refused !== null) throw this.#refused;
  }

  /** For the next answer of a subscription. Gives back what was charged for the last one. */
  startOver(): void {
    if (this.#charged > 0) this.#charge.add(-this.#charged);
    this.#bytes = 0;
    this.#charged = 0;
    this.#refused = null;
  }

  #refuse(refused: Refused): Refused {
    this.#refused ??= refused;
    return this.#refused;
  }
}

/** The refusal of an answer with more than `maxBytes`. */
function tooLarge(maxBytes: number): Refused {
  return new Refused(
    "QUERY_TOO_COMPLEX",
    `The answer is larger than ${maxBytes} bytes, the most that one request may return. Ask for smaller pages, or for less of each row.`,
  );
}

/** What JSON escapes, or UTF-8 writes in several bytes. A search for it is several times as fast as a look at each unit. */
const SPECIAL = /[^ !#-[\]-~]/;

/** Bytes of `text` as a JSON string in UTF-8, quotes and escapes included. Over `atMost` it may stop counting and return any larger number. */
export function jsonBytes(text: string, atMost: number = Number.POSITIVE_INFINITY): number {
  const { length } = text;
  if (length > atMost) return length;
  if (length > 64 && !SPECIAL.test(text)) return length + 2;
  let bytes = length + 2;
  for (let index = 0; index < length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) {
      // A character beyond U+FFFF is two units and four bytes; a surrogate that stands alone is escaped.
      bytes += unit < 0x800 ? 1 : unit < 0xd800 || unit > 0xdfff ? 2 : isPaired(text, index, unit) ? 1 : 5;
    } else if (unit < 0x20) {
      bytes += unit === 8 || unit === 9 || unit === 10 || unit === 12 || unit === 13 ? 1 : 5;
    } else if (unit === 0x22 || unit === 0x5c) bytes += 1;
  }
  return bytes;
}

function isPaired(text: string, index: number, unit: number): boolean {
  const other = text.charCodeAt(unit < 0xdc00 ? index + 1 : index - 1);
  return unit < 0xdc00 ? other >= 0xdc00 && other <= 0xdfff : other >= 0xd800 && other < 0xdc00;
}
