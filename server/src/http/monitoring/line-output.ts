import { constants, fstatSync, openSync, write, writeSync } from "node:fs";
import process from "node:process";

/** Lines buffered for a slow reader or disk, in bytes. Further lines are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** Pause before the next attempt if a pipe or terminal is full. */
const RETRY_MS = 50;
const NEWLINE = 0x0a;

/**
 * Writes lines to a descriptor of the process without blocking. If it is full, fails or is not read, lines
 * are dropped and counted. It does not keep the process alive.
 *
 * States: idle; writing a chunk (in a libuv thread, retried after 50 ms while the pipe is full). A finished
 * or failed chunk leads to the next one or to idle.
 *
 * pino's own destination keeps what a full disk refused and retries endlessly, also at exit.
 */
export class LineOutput {
  readonly #descriptor: number;
  readonly #report: ((dropped: number) => string) | undefined;
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** The bytes being written; null when idle. */
  #chunk: Buffer | null = null;
  #written = 0;
  /** Whether the last line was written only in part. */
  #torn = false;
  /** Whether a thread is writing now. */
  #writing = false;
  #dropped = 0;
  #unreported = 0;

  /** @param report the line that reports how many lines were dropped; written when output works again */
  constructor(descriptor: number, report?: (dropped: number) => string) {
    this.#descriptor = withoutWaiting(descriptor);
    this.#report = report;
    process.on("exit", () => this.#writeRest());
  }

  /** Number of lines dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Accepts complete lines with their newlines. */
  write(text: string): void {
    if (this.#waitingBytes >= MAX_WAITING_BYTES) {
      this.#count(text);
      return;
    }
    this.#push(text);
    if (this.#chunk === null) this.#begin();
  }

  /** Resolves when everything is written or dropped, or after `waitTimeoutMs`. */
  async flush(waitTimeoutMs: number): Promise<void> {
    const deadline = Date.now() + waitTimeoutMs;
    while (this.#chunk !== null && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS / 5));
    }
  }

  #push(text: string): void {
    this.#waiting.push(text);
    this.#waitingBytes += Buffer.byteLength(text);
  }

  /** Writes all waiting lines together, so that a burst costs one call. */
  #begin(): void {
    if (this.#waiting.length === 0) return;
    this.#chunk = Buffer.from((this.#torn ? "\n" : "") + this.#waiting.join(""));
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#written = 0;
    this.#writeChunk(this.#chunk);
  }

  #writeChunk(chunk: Buffer): void {
    this.#writing = true;
    write(this.#descriptor, chunk, this.#written, chunk.length - this.#written, null, (error, bytes) => {
      this.#writing = false;
      if (error?.code === "EAGAIN") {
        setTimeout(() => this.#writeChunk(chunk), RETRY_MS).unref();
        return;
      }
      if (!error) this.#written += bytes;
      if (!error && this.#written < chunk.length) return this.#writeChunk(chunk);
      this.#chunk = null;
      if (error) this.#dropRest(chunk);
      else this.#chunkWritten();
      this.#begin();
    });
  }

  #chunkWritten(): void {
    this.#torn = false;
    if (this.#unreported === 0 || this.#report === undefined) return;
    const report = this.#report(this.#unreported);
    this.#unreported = 0;
    this.#push(report);
  }

  #dropRest(chunk: Buffer): void {
    if (this.#written > 0) this.#torn = chunk[this.#written - 1] !== NEWLINE;
    this.#count(chunk.toString("utf8", this.#written));
  }

  #count(text: string): void {
    const lines = text.split("\n").length - 1;
    this.#dropped += lines;
    this.#unreported += lines;
  }

  /** Writes what is left when the process exits, without waiting. */
  #writeRest(): void {
    // Bytes that a thread is writing now must not be written twice.
    if (this.#writing) return;
    const rest = [this.#chunk?.subarray(this.#written) ?? "", ...this.#waiting];
    try {
      for (const part of rest) writeSync(this.#descriptor, Buffer.from(part));
    } catch {
      // It is full or closed.
    }
  }
}

/**
 * Returns a descriptor for the same file that fails with EAGAIN instead of blocking. It is opened again,
 * because other processes share the flags of the given one.
 */
function withoutWaiting(descriptor: number): number {
  if (fstatSync(descriptor).isFile()) return descriptor;
  try {
    return openSync(`/dev/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // A socket, or another user's pipe. Node sets the flag on a pipe or socket that it opens as a stream.
    if (descriptor === 1) void process.stdout;
    if (descriptor === 2) void process.stderr;
    return descriptor;
  }
}
