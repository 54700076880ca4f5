/** Resolves after `ms`, or earlier when waiting is aborted. */
export type Sleep = (ms: number) => Promise<void>;

/** Bytes read between two pauses. */
const SLICE_BYTES = 4 * 1024 * 1024;
/** Reading takes at most a tenth of the time, so a busy disk, which is slow, is read less. */
const PAUSES_PER_READ = 9;
const LONGEST_PAUSE_MS = 60_000;

/** Limits reading to a byte rate and to a share of the time. The stricter limit applies. */
export class ReadThrottle {
  readonly #bytesPerSecond: number;
  readonly #sleep: Sleep;
  #bytes = 0;
  #since = performance.now();

  constructor(bytesPerSecond: number, sleep: Sleep) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#sleep = sleep;
  }

  /** Starts to measure the read time, after other work. */
  begin(): void {
    this.#since = performance.now();
  }

  /** Counts bytes that were read. Resolves when the next ones may be read. */
  async spent(bytes: number): Promise<void> {
    this.#bytes += bytes;
    if (this.#bytes >= SLICE_BYTES) await this.pause();
  }

  /** Waits long enough for the bytes read since the last pause. */
  async pause(): Promise<void> {
    const took = performance.now() - this.#since;
    const wanted = Math.max((this.#bytes / this.#bytesPerSecond) * 1000, took * PAUSES_PER_READ);
    // The pause for a slow disk is capped; the pause for the byte rate is not.
    await this.#sleep(
      Math.max(Math.min(wanted, LONGEST_PAUSE_MS), (this.#bytes / this.#bytesPerSecond) * 1000),
    );
    this.#bytes = 0;
    this.#since = performance.now();
  }
}
