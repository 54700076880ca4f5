import { AbortError, ConnectionError, TierkeepError, TimeoutError } from "./errors.ts";

/** The limits of one call: the caller's signals, and a timeout. */
export interface Deadline {
  /** Aborts when one of the signals aborts or the timeout expires. */
  readonly signal: AbortSignal;
  /** Settles like `work`, or rejects when `signal` aborts, even if `work` ignores the signal. */
  race<T>(work: Promise<T>): Promise<T>;
  /**
   * Returns the error to throw for an error during the call: AbortError, TimeoutError, a refusal, or
   * ConnectionError.
   */
  explain(error: unknown): Error;
  /** Returns the remaining time of the call in ms. */
  leftMs(): number;
  /** Stops the timer. */
  clear(): void;
}

/** Returns the limits of a call that `signals` may abort, with a timeout in ms (Infinity: none). */
export function deadline(signals: readonly (AbortSignal | undefined)[], timeoutMs: number): Deadline {
  const clock = new AbortController();
  const given = signals.filter((signal) => signal !== undefined);
  const signal = AbortSignal.any([...given, clock.signal]);
  // A timer of more than 2^31 - 1 ms would fire immediately.
  const end = performance.now() + timeoutMs;
  const timer = timeoutMs < 2 ** 31 ? setTimeout(() => clock.abort(), timeoutMs) : undefined;

  const explain = (error: unknown): Error => {
    const aborted = given.find((each) => each.aborted);
    if (aborted) return new AbortError(aborted.reason);
    if (clock.signal.aborted) return new TimeoutError(timeoutMs);
    if (error instanceof TierkeepError || error instanceof ConnectionError) return error;
    const code = systemCode(error);
    const why = code === undefined ? "" : ` (${code})`;
    return new ConnectionError(`The connection to the server failed${why}.${hint()}`, { cause: error });
  };

  return {
    signal,
    explain,
    leftMs: () => end - performance.now(),
    clear: () => clearTimeout(timer),
    race: <T>(work: Promise<T>) =>
      new Promise<T>((resolve, reject) => {
        const end = () => reject(explain(signal.reason));
        if (signal.aborted) end();
        signal.addEventListener("abort", end, { once: true });
        work
          .then(resolve, (error: unknown) => reject(explain(error)))
          .finally(() => signal.removeEventListener("abort", end));
      }),
  };
}

/**
 * Returns a hint for pages. A browser does not report the cause of a failed request; an origin that is not
 * allowed is a common one.
 */
function hint(): string {
  const { location } = globalThis as { readonly location?: { readonly origin: string } };
  return location === undefined
    ? ""
    : ` If the server has another origin than this page, add ${location.origin} to its CORS_ORIGINS.`;
}

/**
 * Returns the system's error code, such as "ECONNREFUSED", from the causes of an error of Node's fetch. A
 * code contains no secrets.
 */
function systemCode(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && typeof cause.code === "string") return cause.code;
  }
  return undefined;
}
