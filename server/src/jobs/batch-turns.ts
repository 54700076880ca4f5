import { RoundRobin } from "../catalog/round-robin.ts";

interface Waiting {
  readonly begin: () => void;
}

/**
 * Limits how many batches run concurrently. Owners (tenants) take turns: many jobs of one owner delay another
 * owner by one batch.
 */
export class BatchTurns {
  readonly #most: number;
  readonly #waiting = new RoundRobin<Waiting>();
  #running = 0;

  /** @param most maximum number of concurrent batches */
  constructor(most: number) {
    this.#most = most;
  }

  /** Waits for a turn, runs `batch` and returns its result. Returns undefined if `signal` aborts first. */
  async run<T>(owner: string, signal: AbortSignal, batch: () => Promise<T>): Promise<T | undefined> {
    if (!(await this.#begin(owner, signal))) return undefined;
    try {
      return await batch();
    } finally {
      this.#end();
    }
  }

  async #begin(owner: string, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    if (this.#running < this.#most) {
      this.#running += 1;
      return true;
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting = { begin: () => resolve(true) };
    const abandon = () => {
      if (this.#waiting.remove(owner, waiting)) resolve(false);
    };
    this.#waiting.add(owner, waiting);
    signal.addEventListener("abort", abandon, { once: true });
    const started = await promise;
    signal.removeEventListener("abort", abandon);
    return started;
  }

  /** Passes the turn to the next waiting batch. */
  #end(): void {
    const next = this.#waiting.take();
    if (next === undefined) this.#running -= 1;
    else next.begin();
  }
}
