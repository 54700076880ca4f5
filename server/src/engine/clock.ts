/** The one source of "now" for everything that ages. Tests and the demo turn it; nothing sleeps for days. */
export interface Clock {
  /** ms since the epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
