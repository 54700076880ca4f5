import type { Connection } from "../connection.ts";
import { onSnapshot } from "./snapshot.ts";

/**
 * A read in steps: it yields how many rows it has looked at since the last step, and may be left alone there, or not
 * taken up again. It holds on to no statement and to no snapshot between steps.
 */
export type Steps<T> = Generator<number, T, void>;

/** A read that looks at no more than it returns, as one step. */
// biome-ignore lint/correctness/useYield: it has one step, which is its end
export function* inOneStep<T>(read: () => T): Steps<T> {
  return read();
}

/** Goes through all steps at once, on one snapshot unless that takes long. */
export function runToEnd<T>(connection: Connection, steps: Steps<T>): T {
  return onSnapshot(connection, (breathe) => toTheEnd(steps, breathe));
}

/** The same without a snapshot. @param between called after each step */
export function toTheEnd<T>(steps: Steps<T>, between: () => void = () => {}): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    between();
  }
}
