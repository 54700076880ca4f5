/**
 * A rate limiter that spreads requests evenly over time and leaves room for a burst (GCRA, a leaky bucket). The only state
 * of a client is one instant, in ms of the monotonic clock: when its requests so far would end at the even rate. 0: it
 * has made none.
 */
export class RateLimiter {
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
