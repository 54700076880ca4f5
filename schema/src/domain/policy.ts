import { ageSinceBefore, daysToMs } from "./ages.ts";
import { isHeldArtifact } from "./holds.ts";
import type { Metadata } from "./metadata.ts";
import type { Tier } from "./tiers.ts";

/** Thresholds on age in days: strictly over `hotDays` leaves hot, over `warmDays` leaves warm, over `coldDays` is purged. Null: never. */
export interface RetentionPolicy {
  readonly hotDays: number | null;
  readonly warmDays: number | null;
  readonly coldDays: number | null;
  /** Shorter values of coldDays that take force later, earliest first. Runs judge by coldDays alone. */
  readonly upcomingColdDays?: readonly UpcomingColdDays[] | undefined;
}

export interface UpcomingColdDays {
  readonly coldDays: number;
  /** The instant from which it is in force, ms since the epoch. */
  readonly from: number;
}

/** In the order in which one artifact meets them. */
export const LIFECYCLE_STEPS = ["PROMOTE_TO_WARM", "PROMOTE_TO_COLD", "PURGE"] as const;

export type LifecycleStep = (typeof LIFECYCLE_STEPS)[number];

/** The parts of a policy that are thresholds. */
export type Threshold = "hotDays" | "warmDays" | "coldDays";

/** What each step does: the tier it takes artifacts from, where they go (null: they are gone), and the threshold that makes them due. */
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

/** What a policy judges an artifact by. */
export interface Aged {
  readonly tier: Tier;
  /** The instant its age counts from, ms since the epoch. */
  readonly ageSince: number;
  readonly metadata: Metadata;
}

export interface Transition {
  readonly action: LifecycleStep;
  /** The instant its age reaches the threshold, ms since the epoch; from the next instant on it is due. */
  readonly at: number;
}

/** The next thing `policy` does to an artifact; null when nothing ever will, as with one that is held and cold. */
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

/** The step due at `asOf` (ms since the epoch): its age is strictly over the threshold, so at the exact instant nothing is due yet. */
export function dueStep(artifact: Aged, policy: RetentionPolicy, asOf: number): LifecycleStep | null {
  const next = nextTransition(artifact, { ...policy, upcomingColdDays: undefined });
  return next !== null && next.at < asOf ? next.action : null;
}

/**
 * Exclusive upper bound of `ageSince` for artifacts to which `step` is due at `asOf`; null when the policy never takes
 * that step. The same comparison as dueStep, in the form an index needs: it finds those that are held, too.
 */
export function dueBefore(step: LifecycleStep, policy: RetentionPolicy, asOf: number): number | null {
  const days = policy[STEP_RULES[step].threshold];
  return days === null ? null : ageSinceBefore(days, asOf);
}
