import type { SeededRandom } from "../seeded-random.ts";

/** The contents of a log's files by name, as text with one character per byte (latin1). */
export type Files = ReadonlyMap<string, string>;

const KINDS = {
  "a byte changed": ({ random, name, text, files }) => {
    const at = random.between(0, text.length - 1);
    const other = text.charCodeAt(at) ^ random.between(1, 255);
    return new Map(files).set(name, text.slice(0, at) + String.fromCharCode(other) + text.slice(at + 1));
  },
  "bytes removed": ({ random, name, text, files }) => {
    const at = random.between(0, text.length - 1);
    return new Map(files).set(name, text.slice(0, at) + text.slice(at + random.between(1, 20)));
  },
  "a byte inserted": ({ random, name, text, files }) => {
    const at = random.between(0, text.length);
    const byte = String.fromCharCode(random.between(0, 255));
    return new Map(files).set(name, text.slice(0, at) + byte + text.slice(at));
  },
  "the end cut off": ({ random, name, text, files }) =>
    new Map(files).set(name, text.slice(0, random.between(0, text.length - 1))),
  "a line removed": (target) => inLines(target, (lines, one) => lines.splice(one, 1)),
  "a line repeated": (target) =>
    inLines(target, (lines, one, other) => lines.splice(other, 0, lines[one] ?? "")),
  "lines swapped": (target) =>
    inLines(target, (lines, one, other) => {
      [lines[one], lines[other]] = [lines[other] ?? "", lines[one] ?? ""];
    }),
  "a line moved": (target) =>
    inLines(target, (lines, one, other) => lines.splice(other, 0, ...lines.splice(one, 1))),
  "a line of another file inserted": (target) =>
    inLines(target, (lines, one) => lines.splice(one, 0, linesOf(target.other.text)[0] ?? "")),
  "a file removed": ({ name, files }) => new Map([...files].filter(([each]) => each !== name)),
  "files swapped": ({ name, text, other, files }) =>
    new Map(files).set(name, other.text).set(other.name, text),
  "a file repeated": ({ text, files }) => new Map(files).set("lifecycle_events.9.jsonl", text),
  "a file emptied": ({ name, files }) => new Map(files).set(name, ""),
} satisfies Record<string, (target: Target) => Files>;

/** What a manipulation works on. It returns new files and changes none of these. */
interface Target {
  readonly random: SeededRandom;
  readonly files: Files;
  /** The file to manipulate. */
  readonly name: string;
  readonly text: string;
  /** A second file, which may be the same. */
  readonly other: { readonly name: string; readonly text: string };
}

/** One manipulation of a log. */
export interface Tampering {
  readonly how: string;
  /** The manipulated files, which always differ from the original ones. */
  readonly files: Files;
}

/** Makes one random manipulation of a log's files, none of which may be empty. */
export function tamper(files: Files, random: SeededRandom): Tampering {
  for (;;) {
    const [name, text] = random.oneOf([...files]);
    const [otherName, otherText] = random.oneOf([...files]);
    const how = random.oneOf(Object.keys(KINDS) as (keyof typeof KINDS)[]);
    const other = { name: otherName, text: otherText };
    const tampered = KINDS[how]({ random, files, name, text, other });
    // Some manipulations change nothing, such as moving a line to its own position.
    if (!isSame(files, tampered)) return { how: `${how} (${name})`, files: tampered };
  }
}

function inLines(
  { random, name, text, files }: Target,
  change: (lines: string[], one: number, other: number) => unknown,
): Files {
  const lines = linesOf(text);
  change(lines, random.between(0, lines.length - 1), random.between(0, lines.length - 1));
  return new Map(files).set(name, lines.join(""));
}

function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n/g) ?? [];
}

function isSame(a: Files, b: Files): boolean {
  return a.size === b.size && [...a].every(([name, text]) => b.get(name) === text);
}
