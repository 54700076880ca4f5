import { ageDays } from "@tierkeep/schema/domain/ages";
import type { LifecycleEventType } from "@tierkeep/schema/domain/events";
import { isHeld } from "@tierkeep/schema/domain/holds";
import { dueStep, type LifecycleStep, STEP_RULES } from "@tierkeep/schema/domain/policy";
import { moved } from "../changes/move.ts";
import { holdMessage, unconfirmedReindex } from "../changes/purge.ts";
import type { LifecycleItemFailedChange, LifecycleStepChange } from "../job-changes.ts";
import type { ArtifactRow, LifecycleItemRow } from "../rows.ts";
import { departureEvent, keyEvent } from "./artifact-event.ts";
import { type Decision, decision, type JobProgress } from "./decision.ts";

const TAKEN: Record<
  LifecycleStep,
  { readonly event: LifecycleEventType; readonly failed: LifecycleEventType; readonly progress: JobProgress }
> = {
  PROMOTE_TO_WARM: {
    event: "PROMOTED_TO_WARM",
    failed: "PROMOTION_ERROR",
    progress: { treated: 1, promotedToWarm: 1 },
  },
  PROMOTE_TO_COLD: {
    event: "PROMOTED_TO_COLD",
    failed: "PROMOTION_ERROR",
    progress: { treated: 1, promotedToCold: 1 },
  },
  PURGE: { event: "PURGED_FROM_COLD", failed: "PURGE_ERROR", progress: { treated: 1, purged: 1 } },
};

/**
 * Decides the step of one artifact of a lifecycle job. The event records its age at the instant by which the
 * run judges.
 *
 * @param repeated the item that the job already has for this key
 * @param unconfirmed the reindex that is not confirmed yet
 * @throws Refused HELD where purging is not allowed
 */
export function decideLifecycleStep(
  current: ArtifactRow | null,
  repeated: LifecycleItemRow | null,
  unconfirmed: string | null,
  change: LifecycleStepChange,
): Decision<LifecycleItemRow> {
  if (repeated !== null) return decision({ result: () => repeated });
  const { planned, step, asOf, dryRun, jobId } = change;
  const unchanged =
    current !== null &&
    current.version === planned.version &&
    current.tier === planned.tier &&
    current.ageSince === planned.ageSince;
  const taken = unchanged && dueStep(current, change.policy, asOf) === step;
  if (taken && step === "PURGE" && !dryRun && unconfirmed !== null) throw unconfirmedReindex(unconfirmed);
  const held = unchanged && step === "PURGE" && isHeld(current.metadata);
  const item: LifecycleItemRow = {
    tenantId: change.key.tenantId,
    workflowId: change.key.workflowId,
    artifactId: change.key.artifactId,
    step,
    fromTier: planned.tier,
    toTier: STEP_RULES[step].to,
    ageDays: ageDays(planned.ageSince, asOf),
    sizeBytes: planned.sizeBytes,
    outcome: !taken ? "SKIPPED" : dryRun ? "PLANNED" : "DONE",
    errorCode: held ? "HELD" : null,
    error: held ? holdMessage(current) : null,
  };
  const job = { id: jobId, progress: taken ? TAKEN[step].progress : ({ treated: 1 } as const) };
  const result = () => item;
  if (!taken || dryRun) return decision({ item, job, result });
  const { to } = STEP_RULES[step];
  const event = departureEvent(TAKEN[step].event, change, current, to, { dryRun, jobId, judgedAt: asOf });
  return to === null
    ? decision({
        row: { kind: "delete" },
        garbage: { object: current.object, store: current.store, notBefore: change.at },
        event,
        item,
        job,
        result,
      })
    : decision({
        row: { kind: "put", row: moved(current, to, change.at) },
        event,
        item,
        job,
        result,
      });
}

/** A dry run writes no event for a failed item: the item itself records it. */
export function decideLifecycleItemFailed(
  repeated: LifecycleItemRow | null,
  change: LifecycleItemFailedChange,
): Decision<null> {
  if (repeated !== null) return decision({ result: () => null });
  const { item, jobId, dryRun } = change;
  const event = keyEvent(TAKEN[item.step].failed, change, item, {
    fromTier: item.fromTier,
    toTier: item.toTier,
    ageDays: item.ageDays,
    sizeBytes: item.sizeBytes,
    jobId,
    errorCode: item.errorCode,
    error: item.error,
  });
  return decision({
    item: { ...item, outcome: "FAILED" },
    event: dryRun ? null : event,
    job: { id: jobId, progress: { treated: 1, errors: 1 } },
    result: () => null,
  });
}
