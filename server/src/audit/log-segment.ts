import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { LifecycleEvent } from "@tierkeep/schema/domain/events";
import type { ExportState } from "../catalog/rows.ts";
import type { SegmentStart } from "./checkpoint.ts";
import { chainedLines, lineHash } from "./jsonl-line.ts";
import { isUnchanged, lineBefore, openLogFile, readAt, type Sync, writeAt } from "./log-file.ts";
import { segmentName, segmentNumberOf } from "./log-names.ts";

/** How much of a file's end was hashed to recognise it, before lines named each other. */
const TAIL_BYTES = 64 * 1024;
const READ_BYTES = 256 * 1024;

/** The events after one, some at a time, ending when there are no more. */
export type EventsAfter = (seq: number) => AsyncIterable<readonly LifecycleEvent[]>;

export interface OpenSegmentOptions {
  readonly directory: string;
  /** Null: nothing was ever exported. */
  readonly state: ExportState | null;
  readonly eventsAfter: EventsAfter;
  readonly sync: Sync;
  /** The number of a segment that is full, so that another one is looked for. Default: the state's may be gone on with. */
  readonly full?: number | undefined;
}

interface Start {
  readonly offset: number;
  readonly size: number;
  readonly head: string | null;
}

/** An open file of the audit log, at the place where it goes on. */
export class LogSegment {
  readonly number: number;
  /** Why this file, where it is at its start. */
  readonly beginning: SegmentStart;
  readonly #directory: string;
  readonly #handle: FileHandle;
  readonly #sync: Sync;
  #seq: number;
  #head: string | null;
  #offset: number;
  /** Of the file as it was opened: what lies beyond the offset will be written over with the same bytes. */
  readonly #size: number;

  private constructor(
    { directory, state, sync }: OpenSegmentOptions,
    number: number,
    handle: FileHandle,
    start: Start,
    beginning: SegmentStart,
  ) {
    this.number = number;
    this.beginning = beginning;
    this.#directory = directory;
    this.#handle = handle;
    this.#sync = sync;
    this.#seq = state?.seq ?? 0;
    this.#head = start.head;
    this.#offset = start.offset;
    this.#size = start.size;
  }

  /**
   * Opens the file that goes on after the state: the one it names if it is as we left it, else the next segment that is
   * not somebody else's. A file that is not there is created, its name durable.
   */
  static async open(options: OpenSegmentOptions): Promise<LogSegment> {
    const { directory, state, sync, full } = options;
    const usual = full !== undefined ? "rotated" : state === null ? "first" : "missing";
    let beginning: SegmentStart = usual;
    const from = full === undefined ? state && segmentNumberOf(state.file) : full + 1;
    for (let number = from ?? 1; ; number++) {
      const handle = await openLogFile(directory, segmentName(number), sync);
      try {
        const start = await whereToGoOn(handle, number, options);
        if (typeof start === "object") return new LogSegment(options, number, handle, start, beginning);
        if (beginning === usual) beginning = usual === "rotated" ? "ahead" : start;
      } catch (error) {
        await handle.close();
        throw error;
      }
      await handle.close();
    }
  }

  /** Of the last event in the log; 0: none. */
  get seq(): number {
    return this.#seq;
  }

  /** Of the last line of the log; null: there is none. */
  get head(): string | null {
    return this.#head;
  }

  /** Bytes of the file that are ours. */
  get offset(): number {
    return this.#offset;
  }

  /** There are lines beyond the offset already, those that come next. */
  get isAhead(): boolean {
    return this.#size > this.#offset;
  }

  /** Writes events where the last ones end; durable when it resolves, and what is to be stored of it. */
  async append(events: readonly LifecycleEvent[]): Promise<ExportState> {
    const { bytes, head } = chainedLines(events, {
      segment: this.#offset === 0 ? this.number : null,
      prev: this.#head,
    });
    await writeAt(this.#handle, this.#offset, bytes);
    await this.#sync(this.#handle);
    this.#offset += bytes.length;
    this.#head = head;
    this.#seq = events.at(-1)?.seq ?? this.#seq;
    return { file: segmentName(this.number), offset: this.#offset, seq: this.#seq, head: head ?? "" };
  }

  sync(): Promise<void> {
    return this.#sync(this.#handle);
  }

  /** False: the file that has this name now is another one, or somebody else wrote to it. */
  stands(): Promise<boolean> {
    const path = join(this.#directory, segmentName(this.number));
    return isUnchanged(this.#handle, path, Math.max(this.#size, this.#offset));
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** Or why the file is not ours to write to. */
async function whereToGoOn(
  handle: FileHandle,
  number: number,
  { state, eventsAfter }: OpenSegmentOptions,
): Promise<Start | "unknown" | "ahead"> {
  const { size } = await handle.stat();
  const next = (offset: number, head: string | null): Start & { readonly lines: AsyncIterable<Buffer> } => ({
    offset,
    size,
    head,
    lines: linesAfter(eventsAfter(state?.seq ?? 0), offset === 0 ? number : null, head),
  });
  if (state && state.file === segmentName(number) && size >= state.offset) {
    const head = await headAt(handle, state);
    if (head !== null) {
      return (await startAt(handle, next(state.offset, head))) ?? "ahead";
    }
  }
  // A file begun anew, in which we may have come to write before a crash; an empty one is anybody's.
  return (await startAt(handle, next(0, state?.head ?? null))) ?? "unknown";
}

/** Removes what a power cut left in place of lines; they come next. */
async function startAt(
  handle: FileHandle,
  start: Start & { readonly lines: AsyncIterable<Buffer> },
): Promise<Start | null> {
  const own = await ownBytes(handle, start);
  if (own === null) return null;
  const size = start.offset + own;
  if (size < start.size) await handle.truncate(size);
  return { ...start, size };
}

/** The hash of the last line before the state's offset; null: that is not the line that we left there. */
async function headAt(handle: FileHandle, { offset, head: stored }: ExportState): Promise<string | null> {
  const head = lineHash(await lineBefore(handle, offset));
  if (head === stored) return head;
  const tailBytes = Math.min(offset, TAIL_BYTES);
  return lineHash(await readAt(handle, offset - tailBytes, tailBytes)) === stored ? head : null;
}

async function* linesAfter(
  events: AsyncIterable<readonly LifecycleEvent[]>,
  segment: number | null,
  prev: string | null,
): AsyncGenerator<Buffer, void, undefined> {
  let link = { segment, prev };
  for await (const some of events) {
    const { bytes, head } = chainedLines(some, link);
    yield bytes;
    link = { segment: null, prev: head };
  }
}

/**
 * How many bytes from `offset` on are what comes next, which is what is there but for what a power cut made of it: zeros,
 * where a file system keeps a file's length and not its bytes, often up to the end of a block. No line has a zero byte.
 * Null: somebody else wrote there.
 */
async function ownBytes(
  handle: FileHandle,
  { offset, size, lines: next }: Start & { readonly lines: AsyncIterable<Buffer> },
): Promise<number | null> {
  let position = offset;
  let own: number | null = null;
  for await (const lines of next) {
    for (let at = 0; at < lines.length && position < size; at += READ_BYTES) {
      const expected = lines.subarray(at, Math.min(at + READ_BYTES, at + size - position));
      const found = await readAt(handle, position, expected.length);
      if (!found.equals(expected)) {
        const differs = expected.findIndex((byte, index) => found[index] !== byte);
        own ??= position + differs;
        if (expected.some((byte, index) => found[index] !== byte && found[index] !== 0)) return null;
      }
      position += expected.length;
    }
    if (position === size) break;
  }
  own ??= position;
  for (; position < size; position += READ_BYTES) {
    const rest = await readAt(handle, position, Math.min(READ_BYTES, size - position));
    if (rest.some((byte) => byte !== 0)) return null;
  }
  return own - offset;
}
