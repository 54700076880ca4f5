/** Passes the slot to the next caller that waits. Only the first call counts. */
export type Release = () => void;

/** A slot that one caller has at a time. The others wait in order. */
export class OneAtATime {
  #taken = false;
  readonly #waiting = new Set<() => void>();

  /**
   * Resolves when the slot is the caller's.
   *
   * @throws the signal's reason when it has aborted, also while the caller waits
   */
  async take(signal: AbortSignal): Promise<Release> {
    signal.throwIfAborted();
    if (this.#taken) await this.#turn(signal);
    this.#taken = true;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#passOn();
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const start = () => {
        signal.removeEventListener("abort", abort);
        resolve();
      };
      const abort = () => {
        this.#waiting.delete(start);
        reject(signal.reason);
      };
      this.#waiting.add(start);
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  /** The slot stays taken while it passes from one caller to the next, so that none gets in between. */
  #passOn(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken = false;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
