import { subscribe } from "node:diagnostics_channel";
import { getEnvironmentData, isMainThread } from "node:worker_threads";

/** Name of the channel on which node:sqlite publishes every statement that SQLite has run. */
export const STATEMENT_CHANNEL = "sqlite.db.query";

export const STATEMENT_COUNTER = "tierkeep statement counter";

export function countHere(counter: Int32Array): () => void {
  return () => {
    Atomics.add(counter, 0, 1);
  };
}

// Loaded by a catalog thread at its start; see statement-count.ts.
const counter = isMainThread ? undefined : getEnvironmentData(STATEMENT_COUNTER);
if (counter instanceof Int32Array) subscribe(STATEMENT_CHANNEL, countHere(counter));
