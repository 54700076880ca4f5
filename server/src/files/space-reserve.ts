import { randomBytes } from "node:crypto";
import { statSync, truncateSync } from "node:fs";
import { type FileHandle, open, statfs } from "node:fs/promises";

/** Size of the reserve; at most a quarter of the disk's free space. */
export const SPACE_RESERVE_BYTES = 8 * 1024 * 1024;

/**
 * Freed per call: enough for a group of purges, and too little to be of use to other processes that wait for
 * space.
 */
const SLICE_BYTES = 256 * 1024;

const LOOK_MS = 1000;

/**
 * The space reserve: a file that only occupies space. On a full disk it is truncated, slice by slice, for
 * changes that free space or report problems. Until it has its full size again, other changes get no space.
 */
export class SpaceReserve {
  readonly #path: string;
  #wholeBytes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** True from the first release until the reserve has its full size again. */
  get released(): boolean {
    const sizeBytes = this.#sizeBytes();
    this.#wholeBytes = Math.max(this.#wholeBytes, sizeBytes);
    return sizeBytes < this.#wholeBytes;
  }

  /** Frees a slice. Returns false where none is left. */
  release(): boolean {
    const sizeBytes = this.#sizeBytes();
    if (sizeBytes === 0) return false;
    this.#wholeBytes = Math.max(this.#wholeBytes, sizeBytes);
    truncateSync(this.#path, Math.max(0, sizeBytes - SLICE_BYTES));
    return true;
  }

  #sizeBytes(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
  }
}

/** The store rejects writes while its disk has less free space than this, beside the reserve. */
const LEAST_FREE_BYTES = 1024 * 1024;

/** A check older than this, ms, means that the disk does not respond. */
const STALE_MS = 10_000;

/**
 * Creates the space reserve, and fills it again whenever it is short and the disk has twice the space for it.
 */
export class SpaceReserveKeeper {
  readonly #path: string;
  readonly #timer: NodeJS.Timeout;
  #wholeBytes = 0;
  #look: Promise<void> | null = null;
  #stopped = false;
  #problem: string | null = null;
  #lookedAt = performance.now();
  #hasBeenWhole = false;

  constructor(path: string) {
    this.#path = path;
    this.#timer = setInterval(() => this.#start(), LOOK_MS).unref();
    this.#start();
  }

  /** Why the store's disk accepts no writes, by a check at most a second old; null: it accepts them. */
  get problem(): string | null {
    if (performance.now() - this.#lookedAt > STALE_MS) return "the store's disk does not respond";
    return this.#problem;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#look;
  }

  #start(): void {
    // A failed attempt is repeated at the next interval.
    this.#look ??= this.#fill()
      .then(
        (isFull) => {
          this.#problem = isFull ? "the store's disk is full" : null;
        },
        (error: NodeJS.ErrnoException) => {
          this.#problem = `the store's folder cannot be written (${error.code ?? error.message})`;
        },
      )
      .finally(() => {
        this.#lookedAt = performance.now();
        this.#look = null;
      });
  }

  /** Fills the reserve. Returns true where only changes that free space can be written. */
  async #fill(): Promise<boolean> {
    const file = await open(this.#path, "a", 0o600);
    try {
      let { size } = await file.stat();
      const { bavail, bsize } = await statfs(this.#path);
      const free = bavail * bsize;
      const fitting = Math.min(SPACE_RESERVE_BYTES, Math.floor((free + size) / 4));
      this.#wholeBytes = Math.max(this.#wholeBytes, size, fitting);
      if (free >= 2 * this.#wholeBytes - size) {
        while (size < this.#wholeBytes && !this.#stopped) size += await grow(file, this.#wholeBytes - size);
      }
      const isWhole = size >= this.#wholeBytes;
      this.#hasBeenWhole ||= isWhole;
      return free < LEAST_FREE_BYTES || (this.#hasBeenWhole && !isWhole);
    } finally {
      await file.close();
    }
  }
}

/**
 * Appends random bytes and returns their number. They occupy real space also on disks that compress, or that
 * store zeros as holes.
 */
async function grow(file: FileHandle, missingBytes: number): Promise<number> {
  const { bytesWritten } = await file.write(randomBytes(Math.min(missingBytes, SLICE_BYTES)));
  return bytesWritten;
}
