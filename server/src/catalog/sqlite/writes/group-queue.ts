import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Change } from "../../changes.ts";
import type { ChangeOutcome } from "../../commit/run-group.ts";
import type { GroupResult } from "./writer.ts";

/**
 * Changes per transaction. With the two other limits this keeps a transaction under 20 ms, so no caller waits long for
 * the writer.
 */
const GROUP_CHANGES = 64;
const GROUP_BYTES = 8 * 1024 * 1024;
/** Artifacts that the changes of a transaction process. */
const GROUP_ARTIFACTS = 500;

interface Waiting {
  readonly change: Change;
  readonly answer: (outcome: ChangeOutcome) => void;
  readonly fail: (error: Error) => void;
}

/**
 * Passes changes to a writer in groups, so that one fsync serves all callers of a group.
 *
 * States of the queue: idle, draining (a group is with the writer, and further changes wait for the next
 * group) and closed.
 * - idle → draining: `submit`. The first group starts one microtask later, with all changes of that turn.
 * - draining → idle: no change is waiting.
 * - any → closed: `close` finishes the waiting changes; `abort` rejects them. `submit` is refused from then
 *   on.
 *
 * A writer that throws fails the callers of that group only; the queue continues with the next group.
 */
export class GroupQueue {
  readonly #run: (changes: readonly Change[]) => Promise<GroupResult>;
  readonly #committed: (seq: number) => void;
  #waiting: Waiting[] = [];
  #running: Promise<void> | null = null;
  #closed: string | null = null;

  constructor(run: (changes: readonly Change[]) => Promise<GroupResult>, committed: (seq: number) => void) {
    this.#run = run;
    this.#committed = committed;
  }

  /** Resolves once the change's group has committed. @throws Refused UNAVAILABLE when closed */
  submit(change: Change): Promise<ChangeOutcome> {
    if (this.#closed !== null) return Promise.reject(new Refused("UNAVAILABLE", this.#closed));
    return new Promise((answer, fail) => {
      this.#waiting.push({ change, answer, fail });
      this.#running ??= this.#drain();
    });
  }

  /** Refuses new changes, and resolves when the waiting ones are done. */
  async close(reason: string): Promise<void> {
    this.#closed ??= reason;
    await this.#running;
  }

  /** Refuses new changes, and rejects the waiting ones. */
  abort(reason: string): void {
    this.#closed ??= reason;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { fail } of waiting) fail(new Refused("UNAVAILABLE", reason));
  }

  async #drain(): Promise<void> {
    // Changes that are submitted in the same turn belong to the same group.
    await null;
    while (this.#waiting.length > 0) {
      const group = this.#next();
      try {
        const { outcomes, lastSeq } = await this.#run(group.map(({ change }) => change));
        group.forEach(({ answer, fail }, index) => {
          const outcome = outcomes[index];
          if (outcome === undefined) fail(new Error("The writer returned no outcome for a change."));
          else answer(outcome);
        });
        if (lastSeq !== null) this.#committed(lastSeq);
      } catch (error) {
        for (const { fail } of group) fail(error as Error);
      }
    }
    this.#running = null;
  }

  #next(): Waiting[] {
    let [bytes, artifacts, count] = [0, 0, 0];
    for (const { change } of this.#waiting) {
      bytes += change.kind === "write" ? (change.bytes?.byteLength ?? 0) : 0;
      artifacts += artifactsIn(change);
      const full = count === GROUP_CHANGES || bytes > GROUP_BYTES || artifacts > GROUP_ARTIFACTS;
      if (count > 0 && full) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }
}

function artifactsIn(change: Change): number {
  switch (change.kind) {
    case "runBatch":
      return change.items.length;
    case "adoptBatch":
      return change.files.length + change.present.length;
    default:
      return 1;
  }
}
