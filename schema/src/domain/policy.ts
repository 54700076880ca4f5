import { ageSinceBefore, daysToMs } from "./ages.ts";
import { isHeldArtifact } from "./holds.ts";
import type { Metadata } from "./metadata.ts";
import type { Tier } from "./tiers.ts";

/**
 * Thresholds on age in days. An artifact older than `hotDays` leaves HOT, older than `warmDays` leaves WARM,
 * and older than `coldDays` is purged. Null: never.
 */
export interface RetentionPolicy {
  readonly hotDays: number | null;
  readonly warmDays: number | null;
  readonly coldDays: number | null;
  /** Shorter values of coldDays that come into force later, earliest first. Runs use only coldDays. */
  readonly upcomingColdDays?: readonly UpcomingColdDays[] | undefined;
}

export interface UpcomingColdDays {
  readonly coldDays: number;
  /** The instant from which the value is in force, ms since the epoch. */
  readonly from: number;
}

/** The steps of the lifecycle, in the order in which they apply to an artifact. */
export const LIFECYCLE_STEPS = ["PROMOTE_TO_WARM", "PROMOTE_TO_COLD", "PURGE"] as const;

export type LifecycleStep = (typeof LIFECYCLE_STEPS)[number];

/** The thresholds of a policy. */
export type Threshold = "hotDays" | "warmDays" | "coldDays";

/**
 * Each step's tier before, tier after (null: the step purges), and the threshold that makes an artifact due.
 */
export const STEP_RULES: Record<
  LifecycleStep,
  { readonly from: Tier; readonly to: Tier | null; readonly threshold: Threshold }
> = {
  PROMOTE_TO_WARM: { from: "HOT", to: "WARM", threshold: "hotDays" },
  PROMOTE_TO_COLD: { from: "WARM", to: "COLD", threshold: "warmDays" },
  PURGE: { from: "COLD", to: null, threshold: "coldDays" },
};

const STEP_FROM: Record<Tier, LifecycleStep> = {
  HOT: "PROMOTE_TO_WARM",
  WARM: "PROMOTE_TO_COLD",
  COLD: "PURGE",
};

/** The facts of an artifact that a policy depends on. */
export interface Aged {
  readonly tier: Tier;
  /** The instant its age counts from, ms since the epoch. */
  readonly ageSince: number;
  readonly metadata: Metadata;
}

export interface Transition {
  readonly action: LifecycleStep;
  /**
   * The instant at which the age reaches the threshold, ms since the epoch. The step is due from the next ms
   * on.
   */
  readonly at: number;
}

/**
 * Returns the next step for an artifact under `policy`; null if no step follows, as for a held artifact in
 * COLD.
 */
export function nextTransition(artifact: Aged, policy: RetentionPolicy): Transition | null {
  const action = STEP_FROM[artifact.tier];
  if (action === "PURGE" && isHeldArtifact(artifact)) return null;
  const days = policy[STEP_RULES[action].threshold];
  const instants = days === null ? [] : [artifact.ageSince + daysToMs(days)];
  if (action === "PURGE") {
    for (const { coldDays, from } of policy.upcomingColdDays ?? [])
      instants.push(Math.max(from, artifact.ageSince + daysToMs(coldDays)));
  }
  return instants.length === 0 ? null : { action, at: Math.min(...instants) };
}

/**
 * Returns the step that is due at `asOf` (ms since the epoch); null if none is. A step is due when the age is
 * greater than the threshold, not when it is equal.
 */
export function dueStep(artifact: Aged, policy: RetentionPolicy, asOf: number): LifecycleStep | null {
  const next = nextTransition(artifact, { ...policy, upcomingColdDays: undefined });
  return next !== null && next.at < asOf ? next.action : null;
}

/**
 * Returns the exclusive upper bound of `ageSince` for artifacts with `step` due at `asOf`; null if the policy
 * never applies that step. Makes the same comparison as dueStep, in a form for an index, but includes held
 * artifacts.
 */
export function dueBefore(step: LifecycleStep, policy: RetentionPolicy, asOf: number): number | null {
  const days = policy[STEP_RULES[step].threshold];
  return days === null ? null : ageSinceBefore(days, asOf);
}
