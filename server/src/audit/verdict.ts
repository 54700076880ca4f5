import type { SegmentStart } from "./checkpoint.ts";

/** A line of the log, identified by its event and its hash. */
export interface Head {
  readonly seq: number;
  /** SHA-256, hex. */
  readonly hash: string;
}

/** The first place where the log is not as it was signed. Nothing after it can be proved. */
export interface Problem {
  readonly file: string;
  /** From 1. Null: the problem concerns the file. */
  readonly line: number | null;
  readonly message: string;
}

export function shownProblem({ file, line, message }: Problem): string {
  return line === null ? `${file} ${message}` : `${file}, line ${line}, ${message}`;
}

/** A place where the log continues although the previous file was not as the server left it. */
export interface Gap {
  readonly time: string;
  /** The file that was started. */
  readonly file: string;
  /** The event after which the log continues. */
  readonly seq: number;
  readonly reason: SegmentStart;
}

export interface Verdict {
  /** Null: everything below is proved. */
  readonly problem: Problem | null;
  /** Number of lines that are as they were signed; with a problem, the lines checked before it. */
  readonly lines: number;
  /** The first of these lines, written before lines named each other. Only the last one of them is proved. */
  readonly unchainedLines: number;
  readonly files: number;
  readonly checkpoints: number;
  readonly gaps: readonly Gap[];
  /** Files with a log name that do not start with a line of the log. Their content is not checked. */
  readonly foreign: readonly string[];
  /** Whether a server is writing: some lines are not signed yet. */
  readonly isBeingWritten: boolean;
  /** The newest proved line, to be kept elsewhere. Null: the log is empty. */
  readonly head: (Head & { readonly time: string }) | null;
}

/** The first difference between the log and what was signed. */
export class Finding extends Error {
  readonly file: string;
  readonly line: number | null;

  /** @param message a clause with the file or line as its subject */
  constructor(file: string, line: number | null, message: string) {
    super(message);
    this.file = file;
    this.line = line;
  }
}
