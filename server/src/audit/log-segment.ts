import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { LifecycleEvent } from "@tierkeep/schema/domain/events";
import type { ExportState } from "../catalog/rows.ts";
import type { SegmentStart } from "./checkpoint.ts";
import { chainedLines, lineHash } from "./jsonl-line.ts";
import { isUnchanged, lineBefore, openLogFile, readAt, type Sync, writeAt } from "./log-file.ts";
import { segmentName, segmentNumberOf } from "./log-names.ts";

/** Length of the file end that was hashed to recognize a file, before lines named each other. */
const TAIL_BYTES = 64 * 1024;
const READ_BYTES = 256 * 1024;

/** Pages of the events after a sequence number, up to the newest. */
export type EventsAfter = (seq: number) => AsyncIterable<readonly LifecycleEvent[]>;

export interface OpenSegmentOptions {
  readonly directory: string;
  /** Null: nothing was exported yet. */
  readonly state: ExportState | null;
  readonly eventsAfter: EventsAfter;
  readonly sync: Sync;
  /** Number of a full segment; the next one is opened. Default: the state's segment may be continued. */
  readonly full?: number | undefined;
}

interface Start {
  readonly offset: number;
  readonly size: number;
  readonly head: string | null;
}

/** An open file of the audit log, positioned where it continues. */
export class LogSegment {
  readonly number: number;
  /** Why this file was started, if it is at its start. */
  readonly beginning: SegmentStart;
  readonly #directory: string;
  readonly #handle: FileHandle;
  readonly #sync: Sync;
  #seq: number;
  #head: string | null;
  #offset: number;
  /** Size when the file was opened. Bytes beyond the offset are overwritten with the same bytes. */
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
   * Opens the file that continues after the state: the state's own file if it is unchanged, otherwise the
   * next segment that has no foreign content. Creates a missing file, with a durable name.
   */
  static async open(options: OpenSegmentOptions): Promise<LogSegment> {
    const { directory, state, sync, full } = options;
    const usual = full !== undefined ? "rotated" : state === null ? "first" : "missing";
    let beginning: SegmentStart = usual;
    const from = full === undefined ? state && segmentNumberOf(state.file) : full + 1;
    for (let number = from ?? 1; ; number++) {
      const handle = await openLogFile(directory, segmentName(number), sync);
      try {
        const start = await startOf(handle, number, options);
        if (typeof start === "object") return new LogSegment(options, number, handle, start, beginning);
        if (beginning === usual) beginning = usual === "rotated" ? "ahead" : start;
      } catch (error) {
        await handle.close();
        throw error;
      }
      await handle.close();
    }
  }

  /** Sequence number of the last event in the log; 0 if it is empty. */
  get seq(): number {
    return this.#seq;
  }

  /** Hash of the last line of the log; null if it is empty. */
  get head(): string | null {
    return this.#head;
  }

  /** End of this log's lines in the file, in bytes. */
  get offset(): number {
    return this.#offset;
  }

  /** Whether the file already has lines beyond the offset: the next ones. */
  get isAhead(): boolean {
    return this.#size > this.#offset;
  }

  /** Appends events. Resolves with the state to store once they are durable. */
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

  /**
   * Returns whether the file with this name is still the same and has its size. False: it was replaced, or
   * another program wrote to it.
   */
  isIntact(): Promise<boolean> {
    const path = join(this.#directory, segmentName(this.number));
    return isUnchanged(this.#handle, path, Math.max(this.#size, this.#offset));
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** Returns where to continue in this file, or why it cannot be used. */
async function startOf(
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
  // A new file, possibly written to before a crash. Any store may use an empty file.
  return (await startAt(handle, next(0, state?.head ?? null))) ?? "unknown";
}

/** Truncates what a power failure left in place of lines. They are written next. */
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

/**
 * Returns the hash of the last line before the state's offset. Null if it is not the line that was exported.
 */
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
 * Returns the number of bytes from `offset` on that are the next lines. Zeros from a power failure do not
 * count: some file systems keep the length of a file without its bytes, often up to the end of a block. No
 * line has a zero byte. Returns null if another program wrote there.
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
