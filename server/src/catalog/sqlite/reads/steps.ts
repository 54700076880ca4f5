import type { Connection } from "../connection.ts";
import { onSnapshot } from "./snapshot.ts";

/**
 * A read in steps. It yields the number of rows that it has read since the last step. Between steps it holds
 * no statement and no snapshot, so it can be paused or dropped there.
 */
export type Steps<T> = Generator<number, T, void>;

/** A read of no more rows than it returns, as one step. */
// biome-ignore lint/correctness/useYield: it has one step, which is its end
export function* inOneStep<T>(read: () => T): Steps<T> {
  return read();
}

/** Runs all steps, on one snapshot unless that takes long. */
export function runToEnd<T>(connection: Connection, steps: Steps<T>): T {
  return onSnapshot(connection, (renew) => toTheEnd(steps, renew));
}

/** Runs all steps without a snapshot. @param between called after each step */
export function toTheEnd<T>(steps: Steps<T>, between: () => void = () => {}): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    between();
  }
}
