/**
 * What a terminal obeys instead of showing it: control characters (C0, DEL, C1), line and paragraph separators, and the
 * marks that turn the direction of text. Metadata, error messages and whatever a server answers may hold them.
 */
const OBEYED = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

const ESCAPE = "\u001b";
/** The styles that our own output is made of, and no other escape sequence. */
const STYLE = new RegExp(`(${ESCAPE}\\[(?:1|2|22|31|32|39)m)`);

const LINE_ENDS = /(\n)/;

/** Text with whatever a terminal would obey written out, as in "\u001b": one line. */
export function visible(text: string): string {
  return text.replace(OBEYED, escaped);
}

/** Lines of text, likewise; our own styles stay where `styles` is "keep", and go where it is "drop". */
export function visibleLines(text: string, styles: "keep" | "drop" | "escape"): string {
  if (styles === "escape") return eachOther(text, LINE_ENDS, visible);
  return eachOther(text, STYLE, (part) => eachOther(part, LINE_ENDS, visible), styles === "keep");
}

/** A value as JSON, in one line unless it is indented, with the same characters escaped: it means the same. */
export function jsonText(value: unknown, indent = 0): string {
  return eachOther(JSON.stringify(value, null, indent), LINE_ENDS, visible);
}

/** The parts of a text between separators, changed; the separators, which the pattern captures, as they are. */
function eachOther(
  text: string,
  separator: RegExp,
  change: (part: string) => string,
  keepSeparators = true,
): string {
  return text
    .split(separator)
    .map((part, index) => {
      if (index % 2 === 0) return change(part);
      return keepSeparators ? part : "";
    })
    .join("");
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Quotes text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
