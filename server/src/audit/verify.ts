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
  /**
   * Heads that were kept elsewhere. Each must still be in the log, or be the one that its first file
   * continues from.
   */
  readonly expected?: readonly Head[];
  /** How long a running server has to sign what it is writing, in ms. Default: 5000. */
  readonly waitTimeoutMs?: number;
}

const WAIT_TIMEOUT_MS = 5000;
const POLL_MS = 100;

/**
 * Verifies the files of an audit log with public keys only, in constant memory. Follows the checkpoints,
 * which are signed in the order in which the log was written: each checkpoint must be unchanged, and so must
 * every line up to the one it names.
 *
 * @throws the system's error if a file cannot be read
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
    const readRecords = () => {
      const before = checkpoints;
      for (let record = records.next(); record !== null; record = records.next()) {
        walk.take(record);
        newest = record;
        checkpoints += 1;
      }
      return checkpoints > before;
    };
    readRecords();
    const deadline = performance.now() + (options.waitTimeoutMs ?? WAIT_TIMEOUT_MS);
    while (!(walk.atEnd() && records.atEnd())) {
      // Only a server can sign new records, so it is writing.
      if (isBeingWritten) break;
      if (performance.now() >= deadline) throw records.atEnd() ? walk.unsigned() : records.incomplete();
      await pause(POLL_MS);
      isBeingWritten = readRecords();
    }
    isBeingWritten &&= !walk.atEnd();
    walk.expectAll();
  } catch (error) {
    if (!(error instanceof Finding)) throw error;
    const { file, line, message } = error;
    problem = { file, line, message };
  }
  const { lines, unchainedLines, files, gaps, foreign } = walk;
  return {
    problem,
    lines,
    unchainedLines,
    files,
    checkpoints,
    gaps,
    foreign,
    isBeingWritten,
    head: problem === null ? headOf(newest) : null,
  };
}

function headOf(newest: Checkpoint | null): Verdict["head"] {
  return newest?.head ? { seq: newest.seq, hash: newest.head, time: newest.time } : null;
}

/** The signed records in order. Each one is verified with a key and with the previous record. */
class Checkpoints implements Disposable {
  readonly #reader: LineReader;
  readonly #keys: PublicKeys;
  #prev: string | null = null;

  constructor(directory: string, keys: PublicKeys) {
    const path = join(directory, CHECKPOINTS_FILE);
    if (!existsSync(path))
      throw new Finding(CHECKPOINTS_FILE, null, "is missing: without it the log cannot be proved");
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
    if (problem !== null || record === null) throw this.#finding(problem ?? "is not a checkpoint");
    if (record.prev !== this.#prev) {
      throw this.#finding("does not follow the previous one: checkpoints are missing or in another order");
    }
    this.#prev = lineHash(line);
    return record;
  }

  atEnd(): boolean {
    return this.#reader.atEnd();
  }

  incomplete(): Finding {
    return new Finding(
      CHECKPOINTS_FILE,
      this.#reader.lineNumber + 1,
      "is an incomplete checkpoint. A killed server leaves one, and replaces it at its next start",
    );
  }

  #finding(message: string): Finding {
    return new Finding(CHECKPOINTS_FILE, this.#reader.lineNumber, message);
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]();
  }
}

/** Events that gaps return to, not verified. The walk keeps their hashes until the gap is reached. */
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
