import { SETTINGS } from "../../config/settings.ts";

const WIDTH = 120;

const CODE = new RegExp(
  [
    String.raw`(?<![\w/-])--?[a-z][a-z-]*(?![\w=])`,
    String.raw`\b[A-Z]+_[A-Z_]+[A-Z]\b`,
    String.raw`\b(?:${Object.keys(SETTINGS).join("|")})\b`,
  ].join("|"),
  "g",
);

/** Returns a Markdown table. Cells are Markdown already; a `|` in a cell is escaped. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Returns the text as Markdown, with options, settings and error codes as code. */
export function prose(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith("`") ? part : escaped(part)))
    .join("");
}

function escaped(text: string): string {
  return text.replace(/[<*]/g, "\\$&").replace(CODE, "`$&`");
}

/** Breaks a paragraph into lines of at most 120 characters. */
export function wrapped(paragraph: string): string {
  const lines: string[] = [];
  for (const word of paragraph.split(/\s+/)) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + word.length < WIDTH) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.join("\n");
}
