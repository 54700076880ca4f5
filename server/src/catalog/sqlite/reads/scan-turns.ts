import { setImmediate as nextTurn } from "node:timers/promises";
import { RoundRobin } from "../../round-robin.ts";
import type { Steps } from "./steps.ts";

/** Longest that scans of one owner run while others wait, ms. */
const SLICE_MS = 10;

/** Longest that one scan may keep a snapshot, ms: while it is kept, the WAL cannot start over and grows. */
const SNAPSHOT_MS = 500;

/** What came of a scan, and how many rows it looked at. */
export type ScanEnd =
  | { readonly ok: true; readonly value: unknown; readonly rows: number }
  /** It would have looked at more rows than it may. */
  | { readonly ok: false; readonly rows: number };

/** On whose behalf a scan runs, and how many rows it may look at. */
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
  /** Begins another one, where one is kept. */
  begin(): void;
  end(): void;
}

/**
 * Runs scans step by step. Owners take turns, however many scans each has; an owner's own scans run in the order in which
 * they came. A scan keeps its snapshot unless that takes long or another one has its turn.
 */
export class ScanTurns {
  readonly #snapshots: Snapshots;
  readonly #tasks = new RoundRobin<Task>();
  readonly #byId = new Map<number, Task>();
  #running: Promise<void> | null = null;

  constructor(snapshots: Snapshots) {
    this.#snapshots = snapshots;
  }

  /** @param given as of a scan that has not begun */
  add(given: Omit<Task, "rows">): void {
    const task = { ...given, rows: 0 };
    this.#byId.set(task.id, task);
    this.#tasks.add(task.owner, task);
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Takes a scan out: it does not begin, or does not go on after its next step. It ends without a word. */
  abandon(id: number): void {
    const task = this.#byId.get(id);
    if (task !== undefined) this.#remove(task);
  }

  async #run(): Promise<void> {
    let current: Task | null = null;
    let since = 0;
    // Calls that have come already take part in the first turns.
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
      // Calls and abandoned scans are heard of here.
      await nextTurn();
    }
  }

  /** Some steps of a task. */
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
