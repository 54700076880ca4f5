import {
  dueBefore,
  LIFECYCLE_STEPS,
  type LifecycleStep,
  type RetentionPolicy,
  STEP_RULES,
} from "@tierkeep/schema/domain/policy";
import type { Tier } from "@tierkeep/schema/domain/tiers";

/** One step of a run: everything in `from` whose age base is strictly before `before` is due. */
export interface PlannedStep {
  readonly step: LifecycleStep;
  readonly from: Tier;
  /** ms since the epoch. */
  readonly before: number;
}

/**
 * The steps of a run in the order in which it takes them: coldest first, so that nothing which the run has moved is met
 * again by a later step. Steps that the policy never takes are left out.
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
