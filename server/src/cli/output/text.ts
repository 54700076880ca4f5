/**
 * Characters that a terminal acts on instead of showing them: control characters (C0, DEL, C1), line and paragraph
 * separators, and marks that change the direction of text. Metadata, error messages and responses may contain them.
 */
const CONTROLS = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

const ESCAPE = "\u001b";
/** Escape sequences of the styles that this command uses, and no others. */
const STYLE = new RegExp(`(${ESCAPE}\\[(?:1|2|22|31|32|39)m)`);

const LINE_ENDS = /(\n)/;

/** Returns the text as one line, with control characters escaped as in "\u001b". */
export function visible(text: string): string {
  return text.replace(CONTROLS, escaped);
}

/** Does the same but keeps line breaks. This command's styles are kept, removed or escaped as `styles` says. */
export function visibleLines(text: string, styles: "keep" | "drop" | "escape"): string {
  if (styles === "escape") return eachOther(text, LINE_ENDS, visible);
  return eachOther(text, STYLE, (part) => eachOther(part, LINE_ENDS, visible), styles === "keep");
}

/** Returns a value as JSON, with the same characters escaped. The JSON's meaning does not change. */
export function jsonText(value: unknown, indent = 0): string {
  return eachOther(JSON.stringify(value, null, indent), LINE_ENDS, visible);
}

/** Changes the parts of a text between separators, which the pattern captures. The separators are kept or removed. */
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
