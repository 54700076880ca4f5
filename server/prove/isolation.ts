import { join } from "node:path";
import { type Answer, answersOf } from "./isolation/answers.ts";
import { firstDifference } from "./isolation/first-difference.ts";
import { type Caller, randomSteps, type Step } from "./isolation/random-requests.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { ProofRun, ProofSuite } from "./suite.ts";

export const isolation: ProofSuite = {
  name: "isolation",
  claim:
    "Two callers with the same name use their own tenants and try to use each other's. Each gets the responses that it would get if the other did nothing.",
  unit: "runs",
  cycles: 350,
  isEachAlone: true,
  open: async (dir) => new IsolationRun(dir),
};

class IsolationRun implements ProofRun {
  readonly figures = { steps: 0, "answers compared": 0 };
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async cycle(random: SeededRandom): Promise<readonly string[]> {
    const steps = randomSteps(random);
    const answers = (present: readonly Caller[]) => answersOf(join(this.#dir, "store"), present, steps);
    const together = await answers(["a", "b"]);
    const broken: string[] = [];
    for (const [caller, other] of [
      ["a", "b"],
      ["b", "a"],
    ] as const) {
      const alone = (await answers([caller]))[caller];
      this.figures["answers compared"] += alone.length;
      broken.push(...differences(steps, caller, other, together[caller], alone));
    }
    this.figures.steps += steps.length;
    return broken;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/**
 * Returns the first answer to `caller` that depends on what `other` did, as a sentence. Empty if there is
 * none.
 */
function differences(
  steps: readonly Step[],
  caller: Caller,
  other: Caller,
  together: readonly Answer[],
  alone: readonly Answer[],
): readonly string[] {
  for (const [index, { step, isReadOfAll, value }] of together.entries()) {
    const difference = firstDifference(value, alone[index]?.value);
    if (difference === null) continue;
    const { path, here, there } = difference;
    const request = isReadOfAll ? "read everything" : shown(steps[step]);
    const before = steps.slice(0, step + 1).findLast((one) => one.caller === other);
    return [
      `After step ${step + 1} of ${steps.length}, ${caller} (${request}) got ${path} = ${here}. Without ${other} it is ${there}. The last step of ${other} was ${shown(before)}.`,
    ];
  }
  return [];
}

function shown(step: Step | undefined): string {
  return step === undefined ? "nothing" : `${step.name} ${JSON.stringify(step.input)}`;
}
