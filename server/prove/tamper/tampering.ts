import type { SeededRandom } from "../seeded-random.ts";

/** What the files of a log hold, a character for each byte, by their names. */
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
  "a byte put in": ({ random, name, text, files }) => {
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
  "a line of another file": (target) =>
    inLines(target, (lines, one) => lines.splice(one, 0, linesOf(target.other.text)[0] ?? "")),
  "a file removed": ({ name, files }) => new Map([...files].filter(([each]) => each !== name)),
  "files swapped": ({ name, text, other, files }) =>
    new Map(files).set(name, other.text).set(other.name, text),
  "a file repeated": ({ text, files }) => new Map(files).set("lifecycle_events.9.jsonl", text),
  "a file emptied": ({ name, files }) => new Map(files).set(name, ""),
} satisfies Record<string, (target: Target) => Files>;

/** Nothing of these is changed. */
interface Target {
  readonly random: SeededRandom;
  readonly files: Files;
  /** The file that is harmed … */
  readonly name: string;
  readonly text: string;
  /** … and another one, or the same. */
  readonly other: { readonly name: string; readonly text: string };
}

export interface Tampering {
  readonly how: string;
  /** The files as they are then: others than before. */
  readonly files: Files;
}

/** Changes something in the files of a log, by chance. None of them may be empty. */
export function tamper(files: Files, random: SeededRandom): Tampering {
  for (;;) {
    const [name, text] = random.oneOf([...files]);
    const [otherName, otherText] = random.oneOf([...files]);
    const how = random.oneOf(Object.keys(KINDS) as (keyof typeof KINDS)[]);
    const other = { name: otherName, text: otherText };
    const tampered = KINDS[how]({ random, files, name, text, other });
    // A line that is moved to where it stands, and the like.
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
