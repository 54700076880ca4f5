import type { SegmentStart } from "./checkpoint.ts";

/** A line of the log by its event and its hash. */
export interface Head {
  readonly seq: number;
  /** SHA-256, hex. */
  readonly hash: string;
}

/** Where something is not as it was signed. Only the first such place: nothing after it can be told. */
export interface Problem {
  readonly file: string;
  /** From 1; null: it concerns the file. */
  readonly line: number | null;
  readonly message: string;
}

export function shownProblem({ file, line, message }: Problem): string {
  return line === null ? `${file} ${message}` : `${file}, line ${line}, ${message}`;
}

/** A place where the log goes on although the file before was not as it was left. */
export interface Gap {
  readonly time: string;
  /** The file that was begun. */
  readonly file: string;
  /** The event after which it goes on. */
  readonly seq: number;
  readonly reason: SegmentStart;
}

export interface Verdict {
  /** Null: everything that is proved below stands. */
  readonly problem: Problem | null;
  /** Lines that are there as they were signed; with a problem, those looked at before it was found. */
  readonly lines: number;
  /** Of these, the first ones, written before lines named each other: only that the last of them is as it was is proved. */
  readonly unchainedLines: number;
  readonly files: number;
  readonly checkpoints: number;
  readonly gaps: readonly Gap[];
  /** Files with a name of the log's that do not begin with a line of it; nothing was looked at in them. */
  readonly strangers: readonly string[];
  /** A server is writing: there are lines that it had not signed yet. */
  readonly isBeingWritten: boolean;
  /** The newest line that is proved, to be kept elsewhere. Null: the log is empty. */
  readonly head: (Head & { readonly time: string }) | null;
}

/** Something that is not as it was signed. */
export class Finding extends Error {
  readonly file: string;
  readonly line: number | null;

  /** @param message a clause of which the place is the subject */
  constructor(file: string, line: number | null, message: string) {
    super(message);
    this.file = file;
    this.line = line;
  }
}
