import { setImmediate as nextTurn } from "node:timers/promises";
import { RoundRobin } from "../../round-robin.ts";
import type { Steps } from "./steps.ts";

/** Maximum time that the scans of one owner run while others wait, ms. */
const SLICE_MS = 10;

/**
 * Maximum time that one scan keeps a snapshot, ms: until it is released, the WAL cannot restart and grows.
 */
const SNAPSHOT_MS = 500;

/** The result of a scan, and the number of rows that it read. */
export type ScanEnd =
  | { readonly ok: true; readonly value: unknown; readonly rows: number }
  /** The scan needed more rows than it was allowed. */
  | { readonly ok: false; readonly rows: number };

/** On whose behalf a scan runs, and how many rows it may read. */
export interface ScanTurn {
  readonly owner: string;
  /** Null: any number. */
  readonly maxRows: number | null;
}

interface Task extends ScanTurn {
  readonly id: number;
  readonly steps: Steps<unknown>;
  readonly ended: (end: ScanEnd) => void;
  readonly failed: (error: unknown) => void;
  rows: number;
}

/** A snapshot of the catalog, for one scan at a time. */
export interface Snapshots {
  /** Starts a new snapshot, and ends the current one. */
  begin(): void;
  end(): void;
}

/**
 * Runs scans step by step, as fair queueing over owners: owners take turns, and an owner's own scans run in
 * the order of their calls.
 *
 * States of a scan: waiting (`add`), running (it is its owner's turn, for up to SLICE_MS), and gone (it
 * returned, failed, exceeded `maxRows` or was abandoned). It alternates between waiting and running. It keeps
 * its snapshot between slices, unless another scan runs in between or SNAPSHOT_MS have passed. The loop runs
 * while any scan is waiting.
 */
export class ScanTurns {
  readonly #snapshots: Snapshots;
  readonly #tasks = new RoundRobin<Task>();
  readonly #byId = new Map<number, Task>();
  #running: Promise<void> | null = null;

  constructor(snapshots: Snapshots) {
    this.#snapshots = snapshots;
  }

  /** Queues a scan that has not started. */
  add(given: Omit<Task, "rows">): void {
    const task = { ...given, rows: 0 };
    this.#byId.set(task.id, task);
    this.#tasks.add(task.owner, task);
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Removes a scan: it does not start, or stops after its current step. Its callbacks are not called. */
  abandon(id: number): void {
    const task = this.#byId.get(id);
    if (task !== undefined) this.#remove(task);
  }

  async #run(): Promise<void> {
    let current: Task | null = null;
    let since = 0;
    // Calls that have already arrived take part in the first turns.
    await null;
    for (let task = this.#tasks.turn(); task !== undefined; task = this.#tasks.turn()) {
      if (task !== current || performance.now() - since > SNAPSHOT_MS) {
        this.#snapshots.begin();
        current = task;
        since = performance.now();
      }
      this.#slice(task);
      if (!this.#byId.has(task.id)) current = null;
      if (this.#byId.size === 0) this.#snapshots.end();
      // Lets messages with new calls and cancellations arrive.
      await nextTurn();
    }
  }

  /** Runs steps of a scan for up to SLICE_MS. */
  #slice(task: Task): void {
    const began = performance.now();
    try {
      do {
        const step = task.steps.next();
        if (step.done) {
          this.#remove(task);
          task.ended({ ok: true, value: step.value, rows: task.rows });
          return;
        }
        task.rows += step.value;
        if (task.maxRows !== null && task.rows > task.maxRows) {
          this.#remove(task);
          task.ended({ ok: false, rows: task.rows });
          return;
        }
      } while (performance.now() - began < SLICE_MS);
    } catch (error) {
      this.#remove(task);
      task.failed(error);
    }
  }

  #remove(task: Task): void {
    this.#byId.delete(task.id);
    this.#tasks.remove(task.owner, task);
  }
}
