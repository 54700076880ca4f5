import { type BigIntStats, statSync } from "node:fs";
import { stat } from "node:fs/promises";

/**
 * Detects that a folder is no longer at its path: moved, deleted, replaced, or on a disk that was unmounted.
 * Open files stay writable in this state, but the next start would not find what is written to them.
 */
export class FolderWatch {
  readonly #path: string;
  readonly #identity: string;

  /** The folder must exist. */
  constructor(path: string) {
    this.#path = path;
    this.#identity = identityOf(statSync(path, { bigint: true }));
  }

  /** Returns the problem as a sentence; null: none. Takes some microseconds. */
  problemNow(): string | null {
    try {
      return this.#problem(statSync(this.#path, { bigint: true, throwIfNoEntry: false }));
    } catch (error) {
      return this.#unreachable(error);
    }
  }

  /** Like problemNow, without blocking the thread. */
  async problem(): Promise<string | null> {
    try {
      return this.#problem(await stat(this.#path, { bigint: true }));
    } catch (error) {
      return this.#unreachable(error);
    }
  }

  #problem(stats: BigIntStats | undefined): string | null {
    if (stats !== undefined && identityOf(stats) === this.#identity) return null;
    return stats === undefined ? this.#gone("is gone") : this.#gone("was replaced by another folder");
  }

  #unreachable(error: unknown): string {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    return this.#gone(code === "ENOENT" ? "is gone" : `cannot be reached (${code})`);
  }

  #gone(how: string): string {
    return `The store's folder ${this.#path} ${how}. Nothing was changed. Move it back, mount its disk, or restart the server.`;
  }
}

function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}
