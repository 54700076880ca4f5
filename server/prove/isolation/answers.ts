import { GuardedStore } from "../../testing/http/guarded-store.ts";
import { ALL_NAMES, EVERYTHING } from "./every-query.ts";
import { CALLERS, type Caller, type Step } from "./random-requests.ts";

/** Steps between two looks at everything. */
const LOOK_EVERY = 6;

/** What a caller was answered. */
export interface Answer {
  /** To their own step, or when they looked at everything after it; from 0. */
  readonly step: number;
  readonly isLook: boolean;
  /** JSON, with what is random in it replaced by the order in which it came. */
  readonly value: unknown;
}

export type Answers = Readonly<Record<Caller, readonly Answer[]>>;

type RequestFacts = Awaited<ReturnType<GuardedStore["ask"]>>;

/** Random, or in an order of the whole store's: what counts is which of them are the same. */
const OPAQUE = new Set(["id", "cursor", "jobId", "startCursor", "endCursor", "lifecycleEventCursor"]);

/** What each of `present` is answered in a store below `root` where their steps alone happen, each at its own time. */
export async function answersOf(
  root: string,
  present: readonly Caller[],
  steps: readonly Step[],
): Promise<Answers> {
  await using world = await GuardedStore.open(root);
  const names = { a: new Map<string, string>(), b: new Map<string, string>() };
  const answers: Record<Caller, Answer[]> = { a: [], b: [] };
  const note = (who: Caller, step: number, isLook: boolean, { data, errors }: RequestFacts) => {
    const known = names[who];
    // Errors first: where one has some and the other none, they say most.
    const text = JSON.stringify({ errors, data }, (name, value) => {
      if (!OPAQUE.has(name) || typeof value !== "string") return value;
      if (!known.has(value)) known.set(value, `#${known.size}`);
      return known.get(value);
    });
    answers[who].push({ step, isLook, value: JSON.parse(text) });
  };
  for (const [index, { who, document, input, after }] of steps.entries()) {
    world.store.now += after;
    if (present.includes(who)) note(who, index, false, await world.ask(CALLERS[who], document, { input }));
    if (index % LOOK_EVERY !== LOOK_EVERY - 1 && index !== steps.length - 1) continue;
    for (const one of present) {
      const everything = await world.ask(CALLERS[one], EVERYTHING, ALL_NAMES);
      if (everything.errors.length > 0)
        throw new Error(`Not everything can be asked for: ${JSON.stringify(everything.errors[0])}`);
      note(one, index, true, everything);
    }
  }
  return answers;
}
