/**
 * Key of the object that replaces a number which no double holds exactly. The object has only this key, with
 * the number's text as its value. The key is not well-formed Unicode, so no valid metadata contains it.
 */
export const INEXACT_NUMBER = "\udfffinexact number";

/** A double holds every number with at most this many characters and a small exponent exactly. */
const MAX_SAFE_LENGTH = 15;

/** Maximum length of a number that is compared digit by digit. A longer number counts as inexact. */
const MAX_NUMBER_LENGTH = 400;

const NUMBER = /^-?(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/**
 * Returns JSON text for JSON.parse in which each number that a double cannot hold exactly is replaced by an
 * object (see INEXACT_NUMBER). JSON.parse alone would change the number silently. Takes time linear in the
 * length of the text. Invalid JSON stays invalid.
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

/** Returns the text of a number that exactJson has replaced; null for any other value. */
export function inexactNumberIn(value: object): string | null {
  const text: unknown = Object.hasOwn(value, INEXACT_NUMBER) ? Object.values(value)[0] : null;
  return typeof text === "string" ? text : null;
}

/**
 * Returns false for a JSON number that a double cannot hold exactly. Returns true for text that is not a JSON
 * number.
 */
export function isExactNumber(number: string): boolean {
  if (number.length <= MAX_SAFE_LENGTH && !/e[+-]?\d{3}/i.test(number)) return true;
  if (number.length > MAX_NUMBER_LENGTH) return !NUMBER.test(number);
  const given = canonical(number);
  return given === null || given === canonical(String(Number(number)));
}

/** Returns the same text for all notations of a number; null if `number` is not a JSON number. */
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

/** Returns the index after the quote that ends the string at `start`. */
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
