/**
 * A rate that holds evenly over time and leaves room for a burst: a bucket that leaks (GCRA). All that is kept of whoever
 * is limited is one instant, ms of the monotonic clock: when what it has done would be done at the even rate. 0: nothing.
 */
export class EvenRate {
  readonly #spacingMs: number;
  readonly #burstMs: number;

  constructor(perSecond: number, burst: number) {
    this.#spacingMs = 1_000 / perSecond;
    this.#burstMs = burst * this.#spacingMs;
  }

  /** How long it is until one more fits, ms; 0: it does now. */
  wait(evenUntil: number, now: number): number {
    return Math.max(0, evenUntil - now - (this.#burstMs - this.#spacingMs));
  }

  /** The instant to keep after one more. It is never further ahead than a whole burst, even where more have got in. */
  after(evenUntil: number, now: number): number {
    return Math.min(Math.max(evenUntil, now) + this.#spacingMs, now + this.#burstMs);
  }
}
