/** Commits within this long of each other share a mark: the lag is known to a second. */
const GRAIN_MS = 1000;
/** Marks kept; a lag long enough to need more is beyond every limit already, and may be told too long. */
const MAX_MARKS = 128;

/**
 * How long the oldest event that is not exported has been waiting, by the monotonic clock of this process. Not by the
 * events' timestamps: these follow the engine's clock, which may be turned.
 */
export class ExportLag {
  /** In order: up to `seq`, nothing has been waiting longer than since `since`. */
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
