import { join } from "node:path";
import { type Answer, answersOf } from "./isolation/answers.ts";
import { firstDifference } from "./isolation/first-difference.ts";
import { type Caller, randomStory, type Step } from "./isolation/random-requests.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { ProofRun, ProofSuite } from "./suite.ts";

export const isolation: ProofSuite = {
  name: "isolation",
  claim:
    "Two callers of one name change what is theirs and try what is not: each is answered as in a store where the other does nothing.",
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
    const steps = randomStory(random);
    const answers = (present: readonly Caller[]) => answersOf(join(this.#dir, "store"), present, steps);
    const together = await answers(["a", "b"]);
    const broken: string[] = [];
    for (const [who, other] of [
      ["a", "b"],
      ["b", "a"],
    ] as const) {
      const alone = (await answers([who]))[who];
      this.figures["answers compared"] += alone.length;
      broken.push(...unlike(steps, who, other, together[who], alone));
    }
    this.figures.steps += steps.length;
    return broken;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** The first answer that tells `who` something of what `other` does. */
function unlike(
  steps: readonly Step[],
  who: Caller,
  other: Caller,
  together: readonly Answer[],
  alone: readonly Answer[],
): readonly string[] {
  for (const [index, { step, isLook, value }] of together.entries()) {
    const difference = firstDifference(value, alone[index]?.value);
    if (difference === null) continue;
    const { path, here, there } = difference;
    const asked = isLook ? "looked at everything" : told(steps[step]);
    const before = steps.slice(0, step + 1).findLast((one) => one.who === other);
    return [
      `After step ${step + 1} of ${steps.length}, ${who} (${asked}) was told ${path} = ${here}; where ${other} does nothing, it is ${there}. What ${other} did last was ${told(before)}.`,
    ];
  }
  return [];
}

function told(step: Step | undefined): string {
  return step === undefined ? "nothing" : `${step.name} ${JSON.stringify(step.input)}`;
}
