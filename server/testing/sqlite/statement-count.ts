import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { setEnvironmentData } from "node:worker_threads";
import { THREAD_PRELOAD } from "../../src/threads/thread-server.ts";
import { countHere, STATEMENT_CHANNEL, STATEMENT_COUNTER } from "./statement-count-here.ts";

export interface StatementCount {
  /**
   * Statements that SQLite has run since the start or the last reset, in this thread and in catalog threads
   * started since.
   */
  count(): number;
  reset(): void;
  stop(): void;
}

/**
 * For tests: counts the statements that SQLite reports as run, on every connection. Start it before the
 * catalog is opened, because its threads inherit the counter.
 */
export function countStatements(): StatementCount {
  const shared = new Int32Array(new SharedArrayBuffer(4));
  setEnvironmentData(STATEMENT_COUNTER, shared);
  setEnvironmentData(THREAD_PRELOAD, new URL("./statement-count-here.ts", import.meta.url).href);
  const listener = countHere(shared);
  subscribe(STATEMENT_CHANNEL, listener);
  return {
    count: () => Atomics.load(shared, 0),
    reset: () => Atomics.store(shared, 0, 0),
    stop: () => {
      unsubscribe(STATEMENT_CHANNEL, listener);
      setEnvironmentData(STATEMENT_COUNTER, undefined);
      setEnvironmentData(THREAD_PRELOAD, undefined);
    },
  };
}
