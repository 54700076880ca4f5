import type { Owner } from "./owner.ts";

/** How long operations may start in each pass of the event loop, in ms. */
export interface Slices {
  /** Operations that did not wait. */
  readonly arrivingMs: number;
  /** Operations that waited. At least one starts; with 0, only one. */
  readonly waitingMs: number;
}

/** Owners whose first operation in a pass of the event loop starts although it is late. */
const MAX_FIRST = 8;

/**
 * Fair order for starting operations. Operations start immediately while the event loop has time. When it is
 * late, only the first operation of an owner in each pass does. Others wait in one queue per owner, and the
 * owners take turns. So a client with few operations hardly waits for one that sends many.
 */
export class Turns {
  readonly #now: () => number;
  /** Queues by owner, in the order of their turns. */
  readonly #queues = new Map<string, (() => void)[]>();
  /** Owners with an operation that started in this pass without waiting. */
  readonly #served = new Set<string>();
  readonly #slices: Slices;
  #sliceBegan = 0;
  #scheduled = false;

  constructor(slices: Slices, now: () => number = () => performance.now()) {
    this.#slices = slices;
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
    if (!this.#scheduled) this.#beginPass();
    const key = `${kind} ${name}`;
    const hasTime = this.#queues.size === 0 && this.#now() - this.#sliceBegan < this.#slices.arrivingMs;
    const isFirst = !this.#queues.has(key) && !this.#served.has(key) && this.#served.size < MAX_FIRST;
    if (hasTime || isFirst) {
      this.#served.add(key);
      return null;
    }
    const turn = Promise.withResolvers<void>();
    const queue = this.#queues.get(key);
    if (queue === undefined) this.#queues.set(key, [turn.resolve]);
    else queue.push(turn.resolve);
    return turn.promise;
  }

  #beginPass(): void {
    this.#scheduled = true;
    this.#sliceBegan = this.#now();
    this.#served.clear();
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#queues.size === 0) return;
      this.#beginPass();
      this.#startNext();
    });
  }

  /** Starts waiting operations, each after the work that the previous one does at once, until their time is over. */
  #startNext(): void {
    const [first] = this.#queues;
    if (first === undefined) return;
    const [key, queue] = first;
    this.#queues.delete(key);
    queue.shift()?.();
    if (queue.length > 0) this.#queues.set(key, queue);
    // A tick that is queued by a microtask runs when no microtask is left, so when the operation waits.
    queueMicrotask(() =>
      process.nextTick(() => {
        if (this.#now() - this.#sliceBegan < this.#slices.waitingMs) this.#startNext();
      }),
    );
  }
}
