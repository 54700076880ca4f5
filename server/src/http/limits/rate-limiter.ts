/**
 * A rate limiter with an even rate and a burst (GCRA, a leaky bucket). The state of a client is a single
 * instant in ms of the monotonic clock: when its requests so far would end at the even rate. 0: no requests.
 */
export class RateLimiter {
  readonly #spacingMs: number;
  readonly #burstMs: number;

  constructor(perSecond: number, burst: number) {
    this.#spacingMs = 1_000 / perSecond;
    this.#burstMs = burst * this.#spacingMs;
  }

  /** Returns the time until one more request is allowed, in ms. 0: now. */
  wait(evenUntil: number, now: number): number {
    return Math.max(0, evenUntil - now - (this.#burstMs - this.#spacingMs));
  }

  /**
   * Returns the state after one more request. It is at most one burst ahead, even if more requests were
   * allowed.
   */
  after(evenUntil: number, now: number): number {
    return Math.min(Math.max(evenUntil, now) + this.#spacingMs, now + this.#burstMs);
  }
}
