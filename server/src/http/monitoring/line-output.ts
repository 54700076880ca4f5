import { constants, fstatSync, openSync, write, writeSync } from "node:fs";
import process from "node:process";

/** Lines that may wait for a slow reader or disk. More are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** Pause before the next attempt where a pipe's reader or a terminal takes nothing now. */
const RETRY_MS = 50;
const NEWLINE = 0x0a;

/**
 * Writes lines to a descriptor of the process without ever waiting for it: one that cannot be written, is full, or that
 * nobody reads costs lines, which are counted, and nothing else. It keeps no process alive.
 *
 * pino's own destination keeps what a full disk refused and tries again without end, also when the process exits.
 */
export class LineOutput {
  readonly #descriptor: number;
  readonly #report: ((dropped: number) => string) | undefined;
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** What is being written; null: nothing. */
  #chunk: Buffer | null = null;
  #written = 0;
  /** The last line that got through did so in part. */
  #torn = false;
  /** A thread writes now. */
  #writing = false;
  #dropped = 0;
  #unreported = 0;

  /** @param report the line that tells how many were dropped, written once lines get through again */
  constructor(descriptor: number, report?: (dropped: number) => string) {
    this.#descriptor = withoutWaiting(descriptor);
    this.#report = report;
    process.on("exit", () => this.#writeRest());
  }

  /** Lines that were dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes whole lines, each with its newline. */
  write(text: string): void {
    if (this.#waitingBytes >= MAX_WAITING_BYTES) {
      this.#count(text);
      return;
    }
    this.#push(text);
    if (this.#chunk === null) this.#begin();
  }

  /** Resolves when all is written or dropped, or after `waitTimeoutMs`. */
  async flush(waitTimeoutMs: number): Promise<void> {
    const giveUp = Date.now() + waitTimeoutMs;
    while (this.#chunk !== null && Date.now() < giveUp) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS / 5));
    }
  }

  #push(text: string): void {
    this.#waiting.push(text);
    this.#waitingBytes += Buffer.byteLength(text);
  }

  /** All that waits is one write, so that a burst of lines costs one call. */
  #begin(): void {
    if (this.#waiting.length === 0) return;
    this.#chunk = Buffer.from((this.#torn ? "\n" : "") + this.#waiting.join(""));
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#written = 0;
    this.#goOn(this.#chunk);
  }

  #goOn(chunk: Buffer): void {
    this.#writing = true;
    write(this.#descriptor, chunk, this.#written, chunk.length - this.#written, null, (error, bytes) => {
      this.#writing = false;
      if (error?.code === "EAGAIN") {
        setTimeout(() => this.#goOn(chunk), RETRY_MS).unref();
        return;
      }
      if (!error) this.#written += bytes;
      if (!error && this.#written < chunk.length) return this.#goOn(chunk);
      this.#chunk = null;
      if (error) this.#dropRest(chunk);
      else this.#gotThrough();
      this.#begin();
    });
  }

  #gotThrough(): void {
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

  /** What is left when the process exits, as far as it is taken at once. */
  #writeRest(): void {
    // What a thread writes now may not be written twice.
    if (this.#writing) return;
    const rest = [this.#chunk?.subarray(this.#written) ?? "", ...this.#waiting];
    try {
      for (const part of rest) writeSync(this.#descriptor, Buffer.from(part));
    } catch {
      // It is full, or its reader has gone.
    }
  }
}

/**
 * A descriptor for the same place that answers EAGAIN where a write would wait: a new one, since other processes share
 * the flags of the given one.
 */
function withoutWaiting(descriptor: number): number {
  if (fstatSync(descriptor).isFile()) return descriptor;
  try {
    return openSync(`/dev/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // A socket, or a pipe of another user: Node sets the flag on a pipe or socket that it opens as a stream.
    if (descriptor === 1) void process.stdout;
    if (descriptor === 2) void process.stderr;
    return descriptor;
  }
}
