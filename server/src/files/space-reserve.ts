import { randomBytes } from "node:crypto";
import { statSync, truncateSync } from "node:fs";
import { type FileHandle, open, statfs } from "node:fs/promises";

/** Kept free on the store's disk; less where that would be more than a quarter of what is free. */
export const SPACE_RESERVE_BYTES = 8 * 1024 * 1024;

/** Given up at once: enough for a group of purges, and too little for who else waits for room to make much of it. */
const SLICE_BYTES = 256 * 1024;

const LOOK_MS = 1000;

/**
 * A file that only takes up room, so that there is some on a full disk: it is cut shorter, a slice at a time, for what
 * frees room or tells of it. While it is not whole again, nothing else is given any.
 */
export class SpaceReserve {
  readonly #path: string;
  #wholeBytes = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** True from its first release until there is room for all of it again. */
  get released(): boolean {
    const sizeBytes = this.#sizeBytes();
    this.#wholeBytes = Math.max(this.#wholeBytes, sizeBytes);
    return sizeBytes < this.#wholeBytes;
  }

  /** Frees a slice. False: there is none left. */
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

/** Why the store takes no writes now: its disk has less free space than this, beside the ballast. */
const LEAST_FREE_BYTES = 1024 * 1024;

/** A look older than this, in ms, says that the disk does not answer. */
const STALE_MS = 10_000;

/** Makes the ballast, and makes it again whenever it is short and there is twice the room for it. */
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

  /** Why the store's disk takes no writes, as of the last look, at most a second ago; null: it takes them. */
  get problem(): string | null {
    if (performance.now() - this.#lookedAt > STALE_MS) return "the store's disk does not answer";
    return this.#problem;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#look;
  }

  #start(): void {
    // What keeps it from being made will keep it a second later too, or not.
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

  /** True: only what frees space can be written. */
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

/** Random bytes: a disk that compresses, or leaves holes where zeros are, gives them real room. */
async function grow(file: FileHandle, missingBytes: number): Promise<number> {
  const { bytesWritten } = await file.write(randomBytes(Math.min(missingBytes, SLICE_BYTES)));
  return bytesWritten;
}
