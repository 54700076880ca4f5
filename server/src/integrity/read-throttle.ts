/** Resolves after `ms`, or sooner where nobody needs to wait any more. */
export type Sleep = (ms: number) => Promise<void>;

/** Bytes that are read between two pauses. */
const SLICE_BYTES = 4 * 1024 * 1024;
/** At most a tenth of the time is spent reading, so that a disk that is busy, and slow for it, is read less. */
const PAUSES_PER_READ = 9;
const LONGEST_PAUSE_MS = 60_000;

/** Holds reading to so many bytes a second and to a share of the time, whichever takes longer. */
export class ReadThrottle {
  readonly #bytesPerSecond: number;
  readonly #sleep: Sleep;
  #bytes = 0;
  #since = performance.now();

  constructor(bytesPerSecond: number, sleep: Sleep) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#sleep = sleep;
  }

  /** Reading begins, after something else. */
  begin(): void {
    this.#since = performance.now();
  }

  /** Told of bytes that have been read: returns when more may be. */
  async spent(bytes: number): Promise<void> {
    this.#bytes += bytes;
    if (this.#bytes >= SLICE_BYTES) await this.pause();
  }

  /** Makes up for what has been read since the last pause. */
  async pause(): Promise<void> {
    const took = performance.now() - this.#since;
    const asked = Math.max((this.#bytes / this.#bytesPerSecond) * 1000, took * PAUSES_PER_READ);
    // What a slow disk asks for has an end; what the rate asks for has none.
    await this.#sleep(
      Math.max(Math.min(asked, LONGEST_PAUSE_MS), (this.#bytes / this.#bytesPerSecond) * 1000),
    );
    this.#bytes = 0;
    this.#since = performance.now();
  }
}
