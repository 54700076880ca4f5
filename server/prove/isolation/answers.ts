import { GuardedStore } from "../../testing/http/guarded-store.ts";
import { ALL_NAMES, EVERYTHING } from "./every-query.ts";
import { CALLERS, type Caller, type Step } from "./random-requests.ts";

/** Number of steps between two queries for everything that a caller can read. */
const READ_EVERY = 6;

/** One response to a caller. */
export interface Answer {
  /** Index of the caller's step, or of the step after which the caller read everything. */
  readonly step: number;
  /** True: the caller read everything. False: the response to the caller's step. */
  readonly isReadOfAll: boolean;
  /** The JSON response, with opaque values replaced by numbers in order of appearance. */
  readonly value: unknown;
}

export type Answers = Readonly<Record<Caller, readonly Answer[]>>;

type RequestFacts = Awaited<ReturnType<GuardedStore["ask"]>>;

/** Fields with values that are random or depend on the order within the store. Only their equality is compared. */
const OPAQUE = new Set(["id", "cursor", "jobId", "startCursor", "endCursor", "lifecycleEventCursor"]);

/**
 * Runs the steps of the callers in `present` on a new store in `root`. The clock also advances for the steps of absent
 * callers. Resolves with the responses to each caller.
 */
export async function answersOf(
  root: string,
  present: readonly Caller[],
  steps: readonly Step[],
): Promise<Answers> {
  await using guarded = await GuardedStore.open(root);
  const aliases = { a: new Map<string, string>(), b: new Map<string, string>() };
  const answers: Record<Caller, Answer[]> = { a: [], b: [] };
  const record = (caller: Caller, step: number, isReadOfAll: boolean, { data, errors }: RequestFacts) => {
    const known = aliases[caller];
    // Errors first, because the first difference is reported and errors explain most.
    const text = JSON.stringify({ errors, data }, (name, value) => {
      if (!OPAQUE.has(name) || typeof value !== "string") return value;
      if (!known.has(value)) known.set(value, `#${known.size}`);
      return known.get(value);
    });
    answers[caller].push({ step, isReadOfAll, value: JSON.parse(text) });
  };
  for (const [index, { caller, document, input, after }] of steps.entries()) {
    guarded.store.now += after;
    if (present.includes(caller))
      record(caller, index, false, await guarded.ask(CALLERS[caller], document, { input }));
    if (index % READ_EVERY !== READ_EVERY - 1 && index !== steps.length - 1) continue;
    for (const one of present) {
      const everything = await guarded.ask(CALLERS[one], EVERYTHING, ALL_NAMES);
      if (everything.errors.length > 0)
        throw new Error(`The query that reads everything failed: ${JSON.stringify(everything.errors[0])}`);
      record(one, index, true, everything);
    }
  }
  return answers;
}
