import { AbortError, ConnectionError, TierkeepError, TimeoutError } from "./errors.ts";

/** What can end one call before its time: its caller's signals, and a clock. */
export interface Deadline {
  /** Aborts when the call must end. */
  readonly signal: AbortSignal;
  /** Settles as `work` does, or fails as soon as the call must end, whether or not `work` heeds the signal. */
  race<T>(work: Promise<T>): Promise<T>;
  /** What an error during the call means: the caller's abort, the clock, or the connection. */
  explain(error: unknown): Error;
  /** What is left of the call's time, in ms. */
  leftMs(): number;
  /** Ends the call's clock. */
  clear(): void;
}

/** A call that `signals` may abort and that may take `timeoutMs` (Infinity: any time). */
export function deadline(signals: readonly (AbortSignal | undefined)[], timeoutMs: number): Deadline {
  const clock = new AbortController();
  const given = signals.filter((signal) => signal !== undefined);
  const signal = AbortSignal.any([...given, clock.signal]);
  // A delay over 2^31 - 1 ms would fire at once.
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

/** A browser does not tell a page why: that another origin is not trusted is a common cause. */
function hint(): string {
  const { location } = globalThis as { readonly location?: { readonly origin: string } };
  return location === undefined
    ? ""
    : ` A server of another origin than this page must have ${location.origin} in CORS_ORIGINS.`;
}

/** "ECONNREFUSED" and the like, which Node's fetch hides a level or two down. A code says nothing secret. */
function systemCode(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && typeof cause.code === "string") return cause.code;
  }
  return undefined;
}
