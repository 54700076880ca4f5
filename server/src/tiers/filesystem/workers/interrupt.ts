import { abortError } from "../storage-errors.ts";

/**
 * Ends a wait from outside: by an abort, or by an error of another operation. Promise.race with one
 * long-lived promise would keep every chunk that was ever waited for in memory until the end.
 */
export class Interrupt {
  readonly #signal: AbortSignal | undefined;
  readonly #onFail: () => void;
  #failure: { readonly error: unknown } | null = null;
  #reject: ((error: unknown) => void) | null = null;

  /** `onFail` is called once, with the first failure. */
  constructor(signal: AbortSignal | undefined, onFail: () => void = () => {}) {
    this.#signal = signal;
    this.#onFail = onFail;
    if (signal?.aborted) this.fail(abortError(signal));
    else signal?.addEventListener("abort", this.#abort);
  }

  /** Settles like `promise`, unless a failure comes first. One wait at a time. */
  wait<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#reject = reject;
      promise.then(resolve, reject);
      if (this.#failure !== null) reject(this.#failure.error);
    });
  }

  fail(error: unknown): void {
    if (this.#failure !== null) return;
    this.#failure = { error };
    this.#reject?.(error);
    this.#onFail();
  }

  /** Stops listening to the signal. */
  dispose(): void {
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#reject = null;
  }

  readonly #abort = (): void => {
    if (this.#signal !== undefined) this.fail(abortError(this.#signal));
  };
}
