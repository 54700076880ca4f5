import { type BigIntStats, statSync } from "node:fs";
import { stat } from "node:fs/promises";

/**
 * Notices that a folder is no longer where it was: moved, deleted, replaced, or on a disk that was unmounted. Open files
 * stay writable then, and what is written to them is not found by the next start.
 */
export class FolderWatch {
  readonly #path: string;
  readonly #identity: string;

  /** The folder must exist. */
  constructor(path: string) {
    this.#path = path;
    this.#identity = identityOf(statSync(path, { bigint: true }));
  }

  /** Returns what is wrong, as a sentence; null: nothing. Takes some microseconds. */
  problemNow(): string | null {
    try {
      return this.#problem(statSync(this.#path, { bigint: true, throwIfNoEntry: false }));
    } catch (error) {
      return this.#unreachable(error);
    }
  }

  /** The same without blocking the thread. */
  async problem(): Promise<string | null> {
    try {
      return this.#problem(await stat(this.#path, { bigint: true }));
    } catch (error) {
      return this.#unreachable(error);
    }
  }

  #problem(stats: BigIntStats | undefined): string | null {
    if (stats !== undefined && identityOf(stats) === this.#identity) return null;
    return stats === undefined ? this.#gone("is gone") : this.#gone("is another one now");
  }

  #unreachable(error: unknown): string {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    return this.#gone(code === "ENOENT" ? "is gone" : `cannot be reached (${code})`);
  }

  #gone(how: string): string {
    return `The store's folder ${this.#path} ${how}. Nothing was changed. Move it back or mount its disk, or restart the server.`;
  }
}

function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}
