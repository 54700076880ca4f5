import { Refused } from "@tierkeep/schema/domain/refusals";

/** Counts running operations, so that a shutdown can refuse new ones and wait for the rest. */
export class InFlight {
  #count = 0;
  #closing = false;
  #idle: (() => void) | null = null;

  /** @throws Refused UNAVAILABLE once closing */
  async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing) {
      throw new Refused("UNAVAILABLE", "The server is shutting down. Try again in a moment.", {
        retryAfterSeconds: 5,
      });
    }
    this.#count++;
    try {
      return await work();
    } finally {
      this.#count--;
      if (this.#count === 0) this.#idle?.();
    }
  }

  /**
   * Refuses new operations, then waits for the running ones until `deadline` (ms since the epoch, system
   * clock).
   */
  async close(deadline: number): Promise<void> {
    this.#closing = true;
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, deadline - Date.now()));
      this.#idle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
