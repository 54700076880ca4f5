import type { Deadline } from "./deadline.ts";
import { ConnectionError, TierkeepError } from "./errors.ts";

const PASSING_REFUSALS = ["RATE_LIMITED", "TIER_UNAVAILABLE", "UNAVAILABLE"];

/** True for what the same request may not meet again. */
export function mayPass(error: unknown): boolean {
  if (error instanceof TierkeepError) return PASSING_REFUSALS.includes(error.code);
  // Without a status nothing answered; below 500 somebody did who is no Tierkeep, and will not become one.
  return error instanceof ConnectionError && !((error.status ?? 500) < 500);
}

/**
 * How long to wait, in ms, after this failure and `failures` before it in a row: from about `minMs`, doubling, to about
 * `maxMs`, on top of what the server has asked for. Half of it at random, or all the clients of a server that restarts
 * come back at once.
 */
export function delayAfter(failures: number, error: unknown, minMs = 250, maxMs = 15_000): number {
  const asked = error instanceof TierkeepError ? (error.retryAfterSeconds ?? 0) : 0;
  return asked * 1_000 + Math.min(maxMs, minMs * 2 ** failures) * (0.5 + Math.random() / 2);
}

/** Does what is safe to do again, and does it again, up to `retries` times and within `limit`, while it fails with what may pass. */
export async function repeat<T>(limit: Deadline, retries: number, attempt: () => Promise<T>): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      const delay = delayAfter(failures, error);
      // Told to come back too late, the caller learns why and not only that time is up.
      if (failures >= retries || !mayPass(error) || delay > limit.leftMs()) throw error;
      await limit.race(pause(delay, limit.signal));
    }
  }
}

/** Resolves after `ms`, or as soon as `signal` aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}
