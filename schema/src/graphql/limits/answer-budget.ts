import { Refused } from "../../domain/refusals.ts";
import type { Charge } from "../../services/charge.ts";

/**
 * Bytes per charge to the caller's memory. Charging each value separately would cost more than the values.
 */
const CHARGE_STEP = 64 * 1024;

/**
 * Counts the bytes of one response while its fields resolve, so that a response over the limit is rejected
 * before it is built. The count is that of the response's JSON without white space, accurate to a few
 * percent.
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

  /** Bytes that the response may still add. */
  get left(): number {
    return this.#maxBytes - this.#bytes;
  }

  /** The refusal of the response; null if it is within its budget. */
  get refused(): Refused | null {
    return this.#refused;
  }

  /**
   * Adds `bytes` to the count.
   *
   * @throws Refused QUERY_TOO_COMPLEX over the limit, RATE_LIMITED if the caller has no memory left. Every
   * later call throws the same refusal.
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

  /**
   * Checks that the response is still within its budget, before a read. @throws Refused the refusal of an
   * earlier `add`
   */
  require(): void {
    if (this.#refused !== null) throw this.#refused;
  }

  /**
   * Resets the budget for the next response of a subscription, and releases the charge of the previous one.
   */
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

/** Returns the refusal of a response over `maxBytes`. */
function tooLarge(maxBytes: number): Refused {
  return new Refused(
    "QUERY_TOO_COMPLEX",
    `The response is larger than ${maxBytes} bytes, the limit of one request. Request smaller pages, or fewer fields of each row.`,
  );
}

/**
 * A character that JSON escapes, or that takes several bytes in UTF-8. Searching for it is several times as
 * fast as a loop over the units.
 */
const SPECIAL = /[^ !#-[\]-~]/;

/**
 * Returns the bytes of `text` as a JSON string in UTF-8, including quotes and escapes. Over `atMost` it may
 * stop counting and return any larger number.
 */
export function jsonBytes(text: string, atMost: number = Number.POSITIVE_INFINITY): number {
  const { length } = text;
  if (length > atMost) return length;
  if (length > 64 && !SPECIAL.test(text)) return length + 2;
  let bytes = length + 2;
  for (let index = 0; index < length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) {
      // A character beyond U+FFFF has two units and four bytes. JSON escapes a lone surrogate.
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
