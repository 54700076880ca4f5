/** Passes the slot to the next waiting caller. Only the first call has an effect. */
export type Release = () => void;

/** A slot for one caller at a time. Others wait in order. */
export class OneAtATime {
  #taken = false;
  readonly #waiting = new Set<() => void>();

  /**
   * Resolves when the caller has the slot.
   *
   * @throws the signal's reason if it has aborted, also while waiting
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

  /** The slot stays taken while it passes to the next caller, so no other caller can take it in between. */
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
