import { join } from "node:path";
import type { Checkpoint } from "./checkpoint.ts";
import { lineHash } from "./jsonl-line.ts";
import { LineReader } from "./line-reader.ts";
import { isCompressedName, segmentName, segmentNumberOf } from "./log-names.ts";
import { placeOf, type SegmentFile, segmentFiles } from "./segment-files.ts";
import { Finding, type Gap, type Head } from "./verdict.ts";

interface OpenFile extends SegmentFile {
  readonly reader: LineReader;
}

/**
 * Reads the lines of the log in order, up to each checkpoint, and compares them with it.
 *
 * States: before the first file; inside a file; between files, after a record that starts a segment. Each
 * `take` reads on to the record's event. The methods throw Finding for the first difference, which ends the
 * walk.
 */
export class LogWalk implements Disposable {
  readonly #directory: string;
  readonly #expected: Map<number, { readonly hash: string; state: "unseen" | "other" | "found" }>;
  readonly foreign: readonly string[];
  readonly gaps: Gap[] = [];
  lines = 0;
  unchainedLines = 0;
  files = 0;
  /** Files that are not opened yet, in order. */
  #ahead: SegmentFile[];
  /** Number of files before those. */
  #passed = 0;
  #open: OpenFile | null = null;
  /** Event and hash of the last line read. */
  #seq = 0;
  #head: string | null = null;
  #last: { readonly file: string; readonly line: number } | null = null;
  /** Record of a segment that starts here and whose first line is not read yet. */
  #segmentStart: Checkpoint | null = null;
  /** No record has started a segment yet: files follow each other only by their chain. */
  #isUnled = true;
  /**
   * Set if the first files of the log are elsewhere: records before the one that starts this file are
   * skipped.
   */
  #archivedUpTo: SegmentFile | null = null;
  #isStarted = false;
  readonly #remembered = new Map<number, Set<string>>();

  constructor(directory: string, expected: readonly Head[]) {
    this.#directory = directory;
    this.#expected = new Map(expected.map(({ seq, hash }) => [seq, { hash, state: "unseen" }]));
    const { segments, foreign } = segmentFiles(directory);
    this.#ahead = segments;
    this.foreign = foreign;
  }

  /** Keeps the hashes of the lines of these events, for gaps that return to them. */
  remember(seqs: ReadonlySet<number>): void {
    for (const seq of seqs) this.#remembered.set(seq, new Set());
  }

  /** Reads on to the event of the record, and compares. */
  take(record: Checkpoint): void {
    this.#start();
    if (this.#archivedUpTo !== null) {
      const { number, first } = this.#archivedUpTo;
      if (record.type === "checkpoint" || record.segment !== number || record.seq !== first.seq - 1) return;
      this.#archivedUpTo = null;
    }
    if (record.type === "checkpoint") this.#checkpoint(record);
    else this.#begin(record);
  }

  /** Returns whether no unsigned bytes follow. */
  atEnd(): boolean {
    if (this.#ahead.length > 0) return false;
    return this.#open === null || this.#open.reader.atEnd();
  }

  unsigned(): Finding {
    const here = this.#open;
    const message =
      "comes after the newest checkpoint, so it is not signed. If the server was killed, its next start signs it. Otherwise the server did not write it";
    if (here !== null && !here.reader.atEnd())
      return new Finding(here.file, here.reader.lineNumber + 1, message);
    return new Finding(this.#ahead[0]?.file ?? "", null, message);
  }

  /** @throws Finding if an expected head was not found */
  expectAll(): void {
    for (const [seq, { state, hash }] of this.#expected) {
      if (state === "found") continue;
      const message =
        state === "other"
          ? `has another line for event ${seq} than the one with the hash ${hash}`
          : `ends with event ${this.#seq} and has no event ${seq}`;
      throw new Finding(this.#last?.file ?? segmentName(1), null, message);
    }
  }

  #start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const [oldest] = this.#ahead;
    if (oldest === undefined || oldest.first.seq === 1) return;
    const seq = oldest.first.seq - 1;
    const expected = this.#expected.get(seq);
    if (expected === undefined || expected.hash !== oldest.first.prev) {
      throw new Finding(
        oldest.file,
        1,
        `is event ${oldest.first.seq}, and the files before it are missing. Put them back, or pass the head that was kept for them: --expect-head ${seq}:HASH`,
      );
    }
    expected.state = "found";
    this.#seq = seq;
    this.#head = expected.hash;
    this.#archivedUpTo = oldest;
  }

  #checkpoint(record: Checkpoint): void {
    const { segment, seq, head, time } = record;
    while (this.#isUnled && this.#open?.number !== segment) {
      while (this.#nextLine(null)) {}
      if (!this.#openNext(null)) break;
    }
    if (this.#segmentStart !== null) this.#openNext(record);
    const open = this.#open;
    if (open === null || open.number !== segment) throw this.#missing(record, segmentName(segment));
    while (this.#seq < seq) if (!this.#nextLine(record)) throw this.#missing(record, open.file);
    if (this.#seq > seq || this.#head !== head) {
      throw this.#at(`differs from event ${seq} as it was signed at ${time}`);
    }
  }

  #begin(record: Checkpoint): void {
    const { seq, head, type, time, reason } = record;
    if (this.#isUnled && this.#open === null && seq > this.#seq) this.#openNext(null);
    while (this.#seq < seq && (this.#nextLine(record) || (this.#isUnled && this.#openNext(null)))) {}
    const isContinued =
      seq === this.#seq
        ? this.#head === head
        : type === "gap" && (seq === 0 || this.#remembered.get(seq)?.has(head ?? ""));
    if (this.#seq < seq) throw this.#missing(record, this.#last?.file ?? segmentName(record.segment));
    if (!isContinued)
      throw this.#at(`differs from event ${seq} as it was when a new file continued the log at ${time}`);
    if (this.#open !== null && !this.#open.reader.atEnd()) {
      const { file, reader } = this.#open;
      const message = `was never signed. Either it existed when ${segmentName(record.segment)} was started at ${time}, or it was added later`;
      throw new Finding(file, reader.lineNumber + 1, message);
    }
    if (type === "gap")
      this.gaps.push({ time, file: segmentName(record.segment), seq, reason: reason ?? "unknown" });
    this.#close();
    this.#seq = seq;
    this.#head = head;
    this.#segmentStart = record;
    this.#isUnled = false;
  }

  /** Opens the next file. Returns false if there is none. */
  #openNext(wanted: Checkpoint | null): boolean {
    if (!this.#isNext()) {
      // A server may have started another file in the meantime.
      this.#ahead = segmentFiles(this.#directory).segments.slice(this.#passed);
    }
    const next = this.#ahead[0];
    if (next === undefined || !this.#isNext()) {
      if (wanted === null) return false;
      throw this.#missing(wanted, segmentName(wanted.segment));
    }
    this.#pass();
    this.#close();
    const named = segmentNumberOf(next.file);
    if (named !== null && named !== next.number)
      throw new Finding(
        next.file,
        1,
        `starts segment ${next.number}, whose name should be ${segmentName(next.number)}`,
      );
    this.#open = { ...next, reader: new LineReader(join(this.#directory, next.file)) };
    this.files += 1;
    return true;
  }

  #isNext(): boolean {
    const [next] = this.#ahead;
    if (next === undefined || this.#segmentStart === null) return next !== undefined;
    return next.number === this.#segmentStart.segment && next.first.seq === this.#segmentStart.seq + 1;
  }

  #pass(): void {
    this.#ahead = this.#ahead.slice(1);
    this.#passed += 1;
  }

  /** Reads a line and compares it with the previous one. Returns false at the end of the file. */
  #nextLine(record: Checkpoint | null): boolean {
    const open = this.#open;
    const line = open?.reader.next() ?? null;
    if (open === null || line === null) return false;
    const place = placeOf(line);
    const isFirst = open.reader.lineNumber === 1;
    const before = this.#last;
    this.#last = { file: open.file, line: open.reader.lineNumber };
    if (place === null) throw this.#at("is not a line of the log");
    const { seq, segment, prev } = place;
    if (seq !== this.#seq + 1) {
      throw this.#at(
        `is event ${seq} instead of event ${this.#seq + 1}: lines are missing or in another order`,
      );
    }
    const hash = lineHash(line);
    if (prev === undefined) {
      if (this.lines > this.unchainedLines || this.#segmentStart !== null)
        throw this.#at('has no "prev", although other lines of the log have one');
      this.unchainedLines += 1;
    } else if (prev !== this.#head) {
      // One of the two lines was changed. The next line shows which one.
      if (before !== null && this.#segmentStart === null && this.#isConfirmed(hash, seq, record))
        this.#last = before;
      throw this.#at("was changed or replaced after the next line was written");
    }
    if (segment !== (isFirst && prev !== undefined ? open.number : undefined))
      throw this.#at("has a segment number where no segment starts, or has none where a segment starts");
    this.#seq = seq;
    this.#head = hash;
    this.#segmentStart = null;
    this.lines += 1;
    this.#note(seq, hash);
    return true;
  }

  #isConfirmed(hash: string, seq: number, record: Checkpoint | null): boolean {
    if (record?.seq === seq) return record.head === hash;
    const line = this.#open?.reader.next() ?? null;
    const next = line === null ? this.#ahead[0]?.first : placeOf(line);
    return next?.prev === hash;
  }

  #note(seq: number, hash: string): void {
    this.#remembered.get(seq)?.add(hash);
    const expected = this.#expected.get(seq);
    if (expected === undefined || expected.state === "found") return;
    expected.state = expected.hash === hash ? "found" : "other";
  }

  #missing({ seq, time }: Checkpoint, file: string): Finding {
    const here = this.#open;
    const signed = `event ${seq} was signed at ${time}`;
    const compressed = this.foreign.find(isCompressedName);
    if (here?.file !== file && compressed !== undefined)
      return new Finding(
        file,
        null,
        `is missing, and ${signed}. ${compressed} is compressed: decompress it into the same directory and verify again`,
      );
    if (this.foreign.includes(file)) return new Finding(file, 1, `is not a line of the log, and ${signed}`);
    if (here?.file !== file)
      return new Finding(file, null, `is missing, or its start was changed, and ${signed}`);
    const line = here.reader.lineNumber + 1;
    return new Finding(file, line, `is missing: the file ends with event ${this.#seq}, and ${signed}`);
  }

  #at(message: string): Finding {
    return new Finding(this.#last?.file ?? segmentName(1), this.#last?.line ?? null, message);
  }

  #close(): void {
    this.#open?.reader[Symbol.dispose]();
    this.#open = null;
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}
