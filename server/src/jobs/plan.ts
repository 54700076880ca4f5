import {
  dueBefore,
  LIFECYCLE_STEPS,
  type LifecycleStep,
  type RetentionPolicy,
  STEP_RULES,
} from "@tierkeep/schema/domain/policy";
import type { Tier } from "@tierkeep/schema/domain/tiers";

/** One step of a run. Artifacts in `from` are due if their age base is strictly before `before`. */
export interface PlannedStep {
  readonly step: LifecycleStep;
  readonly from: Tier;
  /** ms since the epoch. */
  readonly before: number;
}

/**
 * Returns the steps of a run in execution order: coldest first, so no later step finds artifacts that this
 * run has moved. Leaves out steps that the policy disables.
 */
export function planSteps(
  steps: readonly LifecycleStep[],
  policy: RetentionPolicy,
  asOf: number,
): readonly PlannedStep[] {
  return LIFECYCLE_STEPS.toReversed()
    .filter((step) => steps.includes(step))
    .flatMap((step) => {
      const before = dueBefore(step, policy, asOf);
      return before === null ? [] : [{ step, from: STEP_RULES[step].from, before }];
    });
}
