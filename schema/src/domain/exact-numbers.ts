/**
 * Stands for a number that no double holds exactly, in the place of the number: an object with this one key and the
 * number's text. Well-formed text cannot be this key, so no metadata can hold it by accident.
 */
export const INEXACT_NUMBER = "\udfffinexact number";

/** Numbers with at most this many characters and a small exponent survive the way through a double. */
const MAX_SAFE_LENGTH = 15;

/** No double needs more characters when it is written out. */
const MAX_NUMBER_LENGTH = 400;

const NUMBER = /^-?(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/**
 * Returns JSON text for JSON.parse in which each number that a double cannot hold exactly is replaced by an object (see
 * INEXACT_NUMBER): JSON.parse alone would change the number silently. Linear in the length of the text. Text that is not
 * JSON is not made JSON by it.
 */
export function exactJson(text: string): string {
  let exact = "";
  let copied = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      at = endOfString(text, at);
    } else if (code === 0x2d || isDigit(code)) {
      const end = endOfNumber(text, at);
      const number = text.slice(at, end);
      if (!isExactNumber(number)) {
        exact += `${text.slice(copied, at)}${JSON.stringify({ [INEXACT_NUMBER]: shortened(number) })}`;
        copied = end;
      }
      at = end;
    } else {
      at += 1;
    }
  }
  return copied === 0 ? text : exact + text.slice(copied);
}

/** The text of a number that exactJson has replaced; null: `value` is anything else. */
export function inexactNumberIn(value: object): string | null {
  const text: unknown = Object.hasOwn(value, INEXACT_NUMBER) ? Object.values(value)[0] : null;
  return typeof text === "string" ? text : null;
}

/**
 * Returns false for a JSON number that reads back as another number once a double has held it. True for text that is no
 * JSON number.
 */
export function isExactNumber(number: string): boolean {
  if (number.length <= MAX_SAFE_LENGTH && !/e[+-]?\d{3}/i.test(number)) return true;
  if (number.length > MAX_NUMBER_LENGTH) return !NUMBER.test(number);
  const given = canonical(number);
  return given === null || given === canonical(String(Number(number)));
}

/** One text for all spellings of a number; null: `number` is none. */
function canonical(number: string): string | null {
  const match = NUMBER.exec(number);
  if (match === null) return null;
  const [, whole = "", fraction = "", exponent = "0"] = match;
  const digits = (whole + fraction).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return "0";
  const power = Number(exponent) - fraction.length + digits.length - significant.length;
  return `${number.startsWith("-") ? "-" : ""}${significant}e${power}`;
}

/** The index after the quote that ends the string beginning at `start`. */
function endOfString(text: string, start: number): number {
  for (let quote = start; ; ) {
    quote = text.indexOf('"', quote + 1);
    if (quote === -1) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
  }
}

function endOfNumber(text: string, start: number): number {
  let end = start + 1;
  while (isNumberPart(text.charCodeAt(end))) end += 1;
  return end;
}

function isNumberPart(code: number): boolean {
  return isDigit(code) || code === 0x2e || code === 0x2b || code === 0x2d || (code | 0x20) === 0x65;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function shortened(number: string): string {
  return number.length > 60 ? `${number.slice(0, 60)}…` : number;
}
