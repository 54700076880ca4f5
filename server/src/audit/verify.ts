import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Checkpoint, parseCheckpoint, signatureProblem } from "./checkpoint.ts";
import { lineHash } from "./jsonl-line.ts";
import { LineReader } from "./line-reader.ts";
import { CHECKPOINTS_FILE } from "./log-names.ts";
import { LogWalk } from "./log-walk.ts";
import type { PublicKeys } from "./signing-key.ts";
import { Finding, type Head, type Problem, type Verdict } from "./verdict.ts";

export interface VerifyOptions {
  readonly directory: string;
  readonly keys: PublicKeys;
  /** Heads that were kept elsewhere: each must still be in the log, or be what its first file goes on from. */
  readonly expected?: readonly Head[];
  /** How long a server that runs is given to sign what it is writing. Default: 5000. */
  readonly waitTimeoutMs?: number;
}

const WAIT_TIMEOUT_MS = 5000;
const POLL_MS = 100;

/**
 * Verifies the files of an audit log with public keys alone, in memory that does not grow with them. Goes by the
 * checkpoints, which are signed in the order in which the log was written: each must be there as it was, and so must
 * every line up to the one that it names.
 *
 * @throws the system's error where a file cannot be read
 */
export async function verifyLog(options: VerifyOptions): Promise<Verdict> {
  using walk = new LogWalk(options.directory, options.expected ?? []);
  let checkpoints = 0;
  let newest: Checkpoint | null = null;
  let isBeingWritten = false;
  let problem: Problem | null = null;
  try {
    using records = new Checkpoints(options.directory, options.keys);
    walk.remember(gapSeqs(options.directory));
    const takeAll = () => {
      const before = checkpoints;
      for (let record = records.next(); record !== null; record = records.next()) {
        walk.take(record);
        newest = record;
        checkpoints += 1;
      }
      return checkpoints > before;
    };
    takeAll();
    const deadline = performance.now() + (options.waitTimeoutMs ?? WAIT_TIMEOUT_MS);
    while (!(walk.atEnd() && records.atEnd())) {
      // What is signed meanwhile is a server's: nobody else can.
      if (isBeingWritten) break;
      if (performance.now() >= deadline) throw records.atEnd() ? walk.unsigned() : records.half();
      await pause(POLL_MS);
      isBeingWritten = takeAll();
    }
    isBeingWritten &&= !walk.atEnd();
    walk.expectAll();
  } catch (error) {
    if (!(error instanceof Finding)) throw error;
    const { file, line, message } = error;
    problem = { file, line, message };
  }
  const { lines, unchainedLines, files, gaps, strangers } = walk;
  return {
    problem,
    lines,
    unchainedLines,
    files,
    checkpoints,
    gaps,
    strangers,
    isBeingWritten,
    head: problem === null ? headOf(newest) : null,
  };
}

function headOf(newest: Checkpoint | null): Verdict["head"] {
  return newest?.head ? { seq: newest.seq, hash: newest.head, time: newest.time } : null;
}

/** The signed records in their order, each proved by a key and by the one before it. */
class Checkpoints implements Disposable {
  readonly #reader: LineReader;
  readonly #keys: PublicKeys;
  #prev: string | null = null;

  constructor(directory: string, keys: PublicKeys) {
    const path = join(directory, CHECKPOINTS_FILE);
    if (!existsSync(path))
      throw new Finding(CHECKPOINTS_FILE, null, "is not there: nothing else proves the log");
    this.#reader = new LineReader(path);
    this.#keys = keys;
  }

  /** @throws Finding */
  next(): Checkpoint | null {
    const line = this.#reader.next();
    if (line === null) return null;
    const text = line.toString();
    const record = parseCheckpoint(text);
    const problem = signatureProblem(text, this.#keys);
    if (problem !== null || record === null) throw this.#finding(problem ?? "is no checkpoint");
    if (record.prev !== this.#prev) {
      throw this.#finding(
        "does not follow the one before it: checkpoints are missing, or stand in another order",
      );
    }
    this.#prev = lineHash(line);
    return record;
  }

  atEnd(): boolean {
    return this.#reader.atEnd();
  }

  half(): Finding {
    return new Finding(
      CHECKPOINTS_FILE,
      this.#reader.lineNumber + 1,
      "is half a checkpoint. A server that was killed leaves one, and makes it whole at its next start",
    );
  }

  #finding(message: string): Finding {
    return new Finding(CHECKPOINTS_FILE, this.#reader.lineNumber, message);
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]();
  }
}

/** The seqs that gaps go back to, unproved: what stood there is to be remembered until the gap comes. */
function gapSeqs(directory: string): ReadonlySet<number> {
  using reader = new LineReader(join(directory, CHECKPOINTS_FILE));
  const seqs = new Set<number>();
  for (let line = reader.next(); line !== null; line = reader.next()) {
    if (!line.includes('"type":"gap"')) continue;
    const gap = parseCheckpoint(line.toString());
    if (gap !== null) seqs.add(gap.seq);
  }
  return seqs;
}
