import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ExportState } from "../catalog/rows.ts";

const STEM = "lifecycle_events";
/** How much of a file's end is hashed to recognise it. */
const TAIL_BYTES = 64 * 1024;
const READ_BYTES = 256 * 1024;

/** Makes what was written durable; the exporter hands it its one sync at a time. */
export type Sync = (handle: FileHandle) => Promise<void>;

/** The bytes of the lines that come after an event, a piece at a time, ending when there are no more events. */
export type LinesAfter = (seq: number) => AsyncIterable<Buffer>;

/** lifecycle_events.jsonl, then lifecycle_events.2.jsonl, lifecycle_events.3.jsonl … */
export function segmentName(number: number): string {
  return number === 1 ? `${STEM}.jsonl` : `${STEM}.${number}.jsonl`;
}

export function segmentNumber(name: string): number {
  return Number(/\.(\d+)\.jsonl$/.exec(name)?.[1] ?? 1);
}

interface Start {
  readonly offset: number;
  readonly size: number;
  readonly tail: Buffer;
}

/** An open file of the audit log, at the place where it goes on. */
export class LogSegment {
  readonly file: string;
  readonly #directory: string;
  readonly #handle: FileHandle;
  readonly #sync: Sync;
  #offset: number;
  /** Of the file as it was opened: what lies beyond the offset will be written over with the same bytes. */
  readonly #size: number;
  /** The last bytes before the offset. */
  #tail: Buffer;

  private constructor(directory: string, file: string, handle: FileHandle, sync: Sync, start: Start) {
    this.file = file;
    this.#directory = directory;
    this.#handle = handle;
    this.#sync = sync;
    this.#offset = start.offset;
    this.#size = start.size;
    this.#tail = start.tail;
  }

  /**
   * Opens the file that goes on after `state` (null: nothing was ever exported): the one the state names if it is as we
   * left it, else the next segment that is not somebody else's. A file that is not there is created, its name durable.
   */
  static async open(
    directory: string,
    state: ExportState | null,
    linesAfter: LinesAfter,
    sync: Sync,
  ): Promise<LogSegment> {
    for (let number = state ? segmentNumber(state.file) : 1; ; number++) {
      const file = segmentName(number);
      const handle = await openFile(directory, file, sync);
      try {
        const start = await whereToGoOn(handle, file, state, linesAfter);
        if (start) return new LogSegment(directory, file, handle, sync, start);
      } catch (error) {
        await handle.close();
        throw error;
      }
      await handle.close();
    }
  }

  /** Writes lines up to event `seq` where the last ones end; durable when it resolves, and what is to be stored of it. */
  async append(lines: Buffer, seq: number): Promise<ExportState> {
    let written = 0;
    while (written < lines.length) {
      const { bytesWritten } = await this.#handle.write(
        lines,
        written,
        lines.length - written,
        this.#offset + written,
      );
      written += bytesWritten;
    }
    await this.#sync(this.#handle);
    this.#offset += lines.length;
    this.#tail = Buffer.concat([this.#tail, lines]).subarray(-TAIL_BYTES);
    return { file: this.file, offset: this.#offset, seq, tailHash: sha256(this.#tail) };
  }

  sync(): Promise<void> {
    return this.#sync(this.#handle);
  }

  /**
   * False: the file that has this name now is another one, or somebody else wrote to it. Fails with the system's error
   * where it cannot be opened for writing.
   */
  async stands(): Promise<boolean> {
    let named: FileHandle;
    try {
      named = await open(join(this.#directory, this.file), "r+");
    } catch (error) {
      if (isAbsent(error)) return false;
      throw error;
    }
    try {
      const [ours, theirs] = await Promise.all([this.#handle.stat(), named.stat()]);
      return (
        ours.dev === theirs.dev &&
        ours.ino === theirs.ino &&
        theirs.size === Math.max(this.#size, this.#offset)
      );
    } finally {
      await named.close();
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

async function openFile(directory: string, file: string, sync: Sync): Promise<FileHandle> {
  const path = join(directory, file);
  try {
    const handle = await open(path, "r+");
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
    throw new Error(`${file} is no regular file`);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
  const made = await mkdir(directory, { recursive: true });
  if (made !== undefined) await syncDirectory(dirname(made), sync);
  const handle = await open(path, "wx+");
  try {
    await syncDirectory(directory, sync);
  } catch (error) {
    await handle.close();
    throw error;
  }
  return handle;
}

async function syncDirectory(directory: string, sync: Sync): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await sync(handle);
  } finally {
    await handle.close();
  }
}

/** Null: the file is not ours to write to. */
async function whereToGoOn(
  handle: FileHandle,
  file: string,
  state: ExportState | null,
  linesAfter: LinesAfter,
): Promise<Start | null> {
  const { size } = await handle.stat();
  const next = linesAfter(state?.seq ?? 0);
  if (state && state.file === file && size >= state.offset) {
    const tail = await readAt(
      handle,
      Math.max(0, state.offset - TAIL_BYTES),
      Math.min(state.offset, TAIL_BYTES),
    );
    if (sha256(tail) === state.tailHash) {
      return (await isPrefix(handle, state.offset, size, next)) ? { offset: state.offset, size, tail } : null;
    }
  }
  // A file begun anew, in which we may have come to write before a crash; an empty one is anybody's.
  return (await isPrefix(handle, 0, size, next)) ? { offset: 0, size, tail: Buffer.alloc(0) } : null;
}

/** True when the bytes from `offset` to `size` are what comes next, or the beginning of it. */
async function isPrefix(
  handle: FileHandle,
  offset: number,
  size: number,
  next: AsyncIterable<Buffer>,
): Promise<boolean> {
  if (offset === size) return true;
  let position = offset;
  for await (const lines of next) {
    for (let at = 0; at < lines.length && position < size; at += READ_BYTES) {
      const expected = lines.subarray(at, Math.min(at + READ_BYTES, at + size - position));
      if (!(await readAt(handle, position, expected.length)).equals(expected)) return false;
      position += expected.length;
    }
    if (position === size) return true;
  }
  return false;
}

/** Fewer bytes where the file ends before. */
async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
