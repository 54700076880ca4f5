/** The current time of the store. Tests and the demo replace it, so nothing waits for days. */
export interface Clock {
  /** ms since the epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
