import {
  dueStep,
  LIFECYCLE_STEPS,
  nextTransition,
  type RetentionPolicy,
} from "@tierkeep/schema/domain/policy";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planSteps } from "./plan.ts";

const policy: RetentionPolicy = { hotDays: 7, warmDays: 30, coldDays: 90 };

describe("planSteps", () => {
  it("puts the coldest step first, so that no step finds what an earlier one has moved", () => {
    expect(planSteps(LIFECYCLE_STEPS, policy, 0).map(({ step, from }) => [step, from])).toEqual([
      ["PURGE", "COLD"],
      ["PROMOTE_TO_COLD", "WARM"],
      ["PROMOTE_TO_WARM", "HOT"],
    ]);
  });

  it("leaves out steps that were not requested or that the policy disables", () => {
    const steps = ["PROMOTE_TO_WARM", "PURGE"] as const;
    expect(planSteps(steps, policy, 0).map(({ step }) => step)).toEqual(["PURGE", "PROMOTE_TO_WARM"]);
    expect(planSteps(steps, { ...policy, coldDays: null }, 0).map(({ step }) => step)).toEqual([
      "PROMOTE_TO_WARM",
    ]);
  });

  it("finds exactly the artifacts that are due, to the millisecond", () => {
    const days = fc.option(fc.double({ min: 0, max: 100, noNaN: true }));
    const asOf = 1_800_000_000_000;
    fc.assert(
      fc.property(
        fc.record({ hotDays: days, warmDays: days, coldDays: days }),
        fc.constantFrom(...TIERS),
        fc.integer({ min: 0, max: asOf }),
        fc.integer({ min: -1, max: 1 }),
        (anyPolicy, tier, anyAgeSince, off) => {
          // Half of the cases are exactly at the threshold, where a rounding error would show.
          const edge = nextTransition({ tier, ageSince: 0, metadata: {} }, anyPolicy)?.at;
          const ageSince = edge === undefined || anyAgeSince % 2 ? anyAgeSince : asOf - edge + off;
          const planned = planSteps(LIFECYCLE_STEPS, anyPolicy, asOf)
            .filter(({ from, before }) => from === tier && ageSince < before)
            .map(({ step }) => step);
          const due = dueStep({ tier, ageSince, metadata: {} }, anyPolicy, asOf);
          expect(planned).toEqual(due === null ? [] : [due]);
        },
      ),
    );
  });
});
