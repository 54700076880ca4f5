import { ageDays } from "@tierkeep/schema/domain/ages";
import type { LifecycleEventType } from "@tierkeep/schema/domain/events";
import { isHeld } from "@tierkeep/schema/domain/holds";
import { dueStep, type LifecycleStep, STEP_RULES } from "@tierkeep/schema/domain/policy";
import { isHotter } from "@tierkeep/schema/domain/tiers";
import type { Job, LifecycleJob, RestoreJob } from "@tierkeep/schema/services/jobs";
import type { Found } from "../change-type.ts";
import type { JobCounts, RunBatchChange } from "../job-changes.ts";
import type { PlannedItem, PlanStep } from "../plan-blocks.ts";
import type { ArtifactFacts, Effect } from "../records.ts";
import type { ArtifactRow, ItemFailure, ItemOutcome } from "../rows.ts";
import { inOtherTier, purged } from "./artifact-effects.ts";
import { departureEvent, keyEvent } from "./artifact-event.ts";
import { named } from "./current-row.ts";
import { moved } from "./move.ts";
import { holdMessage } from "./purge.ts";

/** What a batch does with one item. */
export interface Taken {
  readonly effects: readonly Effect[];
  readonly outcome: ItemOutcome;
  /** Counters besides `treated`. */
  readonly counts: JobCounts;
}

const EVENTS: Record<PlanStep, { readonly done: LifecycleEventType; readonly failed: LifecycleEventType }> = {
  PROMOTE_TO_WARM: { done: "PROMOTED_TO_WARM", failed: "PROMOTION_ERROR" },
  PROMOTE_TO_COLD: { done: "PROMOTED_TO_COLD", failed: "PROMOTION_ERROR" },
  PURGE: { done: "PURGED_FROM_COLD", failed: "PURGE_ERROR" },
  RESTORE: { done: "ARTIFACT_RESTORED", failed: "RESTORE_ERROR" },
};

/** The job's counter of artifacts for which a step was taken. */
export const STEP_COUNTER = {
  PROMOTE_TO_WARM: "promotedToWarm",
  PROMOTE_TO_COLD: "promotedToCold",
  PURGE: "purged",
  RESTORE: "restored",
} as const satisfies Record<PlanStep, keyof JobCounts>;

/** Takes the step of a lifecycle job. Its event records the artifact's age at the instant by which the run judges. */
export function lifecycleItem(
  change: RunBatchChange,
  step: LifecycleStep,
  item: PlannedItem,
  { asOf }: LifecycleJob,
  found: Found,
  version: number,
): Taken {
  const { policy, storeIds, at, jobId } = change;
  const row = currentRow(found, step, item);
  const { planned } = item;
  const unchanged =
    row !== null &&
    row.version === planned?.version &&
    row.tier === STEP_RULES[step].from &&
    row.ageSince === planned.ageSince;
  if (!unchanged || dueStep(row, policy, asOf) !== step) {
    const held = unchanged && isHeld(row.metadata);
    return skipped(held ? { errorCode: "HELD", error: holdMessage(row) } : null);
  }
  const { to } = STEP_RULES[step];
  const event = departureEvent(EVENTS[step].done, change, row, to, { dryRun: false, jobId, judgedAt: asOf });
  return {
    effects: [
      ...(to === null
        ? purged(row, version, at)
        : inOtherTier(row, moved(row, to, at, version), storeIds, at)),
      { append: "event", value: event },
    ],
    outcome: version,
    counts: { [STEP_COUNTER[step]]: 1 },
  };
}

/** Restores an artifact to the tier of the job. */
export function restoredItem(
  change: RunBatchChange,
  item: PlannedItem,
  job: RestoreJob,
  found: Found,
  version: number,
): Taken {
  const { storeIds, at, jobId } = change;
  const { toTier } = job;
  const row = found.get("facts", item);
  if (row === null) return failedItem(change, item, job, deletedArtifact(item));
  if (!isHotter(toTier, row.tier)) return { ...skipped(null), counts: { skipped: 1 } };
  const event = departureEvent(EVENTS.RESTORE.done, change, row, toTier, {
    dryRun: false,
    jobId,
    judgedAt: at,
  });
  return {
    effects: [
      ...inOtherTier(row, moved(row, toTier, at, version), storeIds, at),
      { append: "event", value: event },
    ],
    outcome: version,
    counts: { restored: 1 },
  };
}

export function failedItem(
  change: RunBatchChange,
  item: PlannedItem,
  job: Job,
  { errorCode, error }: ItemFailure,
): Taken {
  const { step, jobId } = change;
  const { planned } = item;
  const event = keyEvent(EVENTS[step].failed, change, item, {
    ...(step === "RESTORE"
      ? { toTier: job.kind === "restore" ? job.toTier : null }
      : { fromTier: STEP_RULES[step].from, toTier: STEP_RULES[step].to }),
    ageDays: planned && job.kind === "lifecycle" ? ageDays(planned.ageSince, job.asOf) : null,
    sizeBytes: planned?.sizeBytes ?? null,
    jobId,
    errorCode,
    error,
  });
  return {
    effects: [{ append: "event", value: event }],
    outcome: { outcome: "FAILED", errorCode, error },
    counts: { errors: 1 },
  };
}

function deletedArtifact(item: PlannedItem): ItemFailure {
  return { errorCode: "ARTIFACT_NOT_FOUND", error: `The artifact ${named(item)} no longer exists.` };
}

function skipped(failure: ItemFailure | null): Taken {
  const { errorCode, error } = failure ?? { errorCode: null, error: null };
  return { effects: [], outcome: { outcome: "SKIPPED", errorCode, error }, counts: {} };
}

/** Returns the current row of an item. Metadata counts only for purges; other steps read none. */
function currentRow(found: Found, step: LifecycleStep, item: PlannedItem): ArtifactRow | null {
  if (step === "PURGE") return found.get("artifact", item);
  const facts: ArtifactFacts | null = found.get("facts", item);
  return facts && { ...facts, metadata: {} };
}
