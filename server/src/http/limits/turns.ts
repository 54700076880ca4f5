import { SLICE_MS } from "./limits.ts";
import type { Owner } from "./owner.ts";

/**
 * Fair order for starting operations. Operations start immediately while the event loop has time. When it is
 * late, they wait in one queue per owner, and the owners take turns. So the operations of one client delay
 * those of others by one operation each, however many it sends.
 */
export class Turns {
  readonly #now: () => number;
  /** Queues by owner, in the order of their turns. */
  readonly #queues = new Map<string, (() => void)[]>();
  #sliceBegan = 0;
  #scheduled = false;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Number of waiting operations. */
  get waiting(): number {
    let count = 0;
    for (const queue of this.#queues.values()) count += queue.length;
    return count;
  }

  /** Resolves at the owner's turn. Null: the operation may start now. */
  take({ kind, name }: Owner): Promise<void> | null {
    if (!this.#scheduled) {
      this.#sliceBegan = this.#now();
      this.#schedule();
    }
    if (this.#queues.size === 0 && this.#now() - this.#sliceBegan < SLICE_MS) return null;
    const key = `${kind} ${name}`;
    const turn = Promise.withResolvers<void>();
    const queue = this.#queues.get(key);
    if (queue === undefined) this.#queues.set(key, [turn.resolve]);
    else queue.push(turn.resolve);
    return turn.promise;
  }

  #schedule(): void {
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#queues.size === 0) return;
      // One operation, then the event loop. The operation itself runs after this function returns.
      this.#sliceBegan = this.#now();
      this.#schedule();
      const [first] = this.#queues;
      if (first === undefined) return;
      const [key, queue] = first;
      this.#queues.delete(key);
      queue.shift()?.();
      if (queue.length > 0) this.#queues.set(key, queue);
    });
  }
}
