/** Commits within this interval share a mark, so the lag is accurate to a second. */
const GRAIN_MS = 1000;
/** Number of marks kept. A lag that needs more exceeds every limit already, and may be reported too long. */
const MAX_MARKS = 128;

/**
 * Measures how long the oldest event that is not exported has waited, by the monotonic clock of this process.
 * Timestamps of events are not used: they follow the engine's clock, which may be set.
 */
export class ExportLag {
  /** Ordered marks: no event up to `seq` has waited since before `since`. */
  readonly #marks: { seq: number; readonly since: number }[] = [];

  committed(seq: number, now = performance.now()): void {
    const last = this.#marks.at(-1);
    if (last && (now - last.since < GRAIN_MS || this.#marks.length >= MAX_MARKS))
      last.seq = Math.max(last.seq, seq);
    else this.#marks.push({ seq, since: now });
  }

  exported(seq: number): void {
    while (this.#marks[0] && this.#marks[0].seq <= seq) this.#marks.shift();
  }

  seconds(now = performance.now()): number {
    const oldest = this.#marks[0];
    return oldest ? Math.max(0, now - oldest.since) / 1000 : 0;
  }
}
