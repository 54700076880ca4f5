import type { Deadline } from "./deadline.ts";
import { ConnectionError, TierkeepError } from "./errors.ts";

const PASSING_REFUSALS = ["RATE_LIMITED", "TIER_UNAVAILABLE", "UNAVAILABLE"];

/** Returns true for a temporary error: a retry may succeed. */
export function mayPass(error: unknown): boolean {
  if (error instanceof TierkeepError) return PASSING_REFUSALS.includes(error.code);
  // Without a status there was no response. A status below 500 comes from another server than Tierkeep, and a
  // retry would reach it again.
  return error instanceof ConnectionError && !((error.status ?? 500) < 500);
}

/**
 * Returns the delay in ms before a retry, after this error and `failures` earlier ones: about `minMs`,
 * doubled with each failure, up to about `maxMs`, in addition to the server's retryAfterSeconds. Half of it
 * is random, so that the clients of a restarted server do not all retry at the same time.
 */
export function delayAfter(failures: number, error: unknown, minMs = 250, maxMs = 15_000): number {
  const asked = error instanceof TierkeepError ? (error.retryAfterSeconds ?? 0) : 0;
  return asked * 1_000 + Math.min(maxMs, minMs * 2 ** failures) * (0.5 + Math.random() / 2);
}

/**
 * Runs `attempt`, and retries it after temporary errors, up to `retries` times and within `limit`. @throws
 * the last error
 */
export async function repeat<T>(limit: Deadline, retries: number, attempt: () => Promise<T>): Promise<T> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      const delay = delayAfter(failures, error);
      // If the delay exceeds the remaining time, the error is thrown now, instead of a TimeoutError later.
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
