import { ageDays } from "@tierkeep/schema/domain/ages";
import type { LifecycleEventType } from "@tierkeep/schema/domain/events";
import { isHeld } from "@tierkeep/schema/domain/holds";
import { dueStep, type LifecycleStep, STEP_RULES } from "@tierkeep/schema/domain/policy";
import type { ChangeType } from "../change-type.ts";
import type { JobCounts, LifecycleItemFailedChange, LifecycleStepChange } from "../job-changes.ts";
import type { LifecycleItemRow } from "../rows.ts";
import { inOtherTier, purged } from "./artifact-effects.ts";
import { departureEvent, keyEvent } from "./artifact-event.ts";
import { handled, itemRefs, requireJob } from "./job-items.ts";
import { moved } from "./move.ts";
import { closedGate, holdMessage } from "./purge.ts";

const TAKEN: Record<
  LifecycleStep,
  { readonly event: LifecycleEventType; readonly failed: LifecycleEventType; readonly counts: JobCounts }
> = {
  PROMOTE_TO_WARM: {
    event: "PROMOTED_TO_WARM",
    failed: "PROMOTION_ERROR",
    counts: { treated: 1, promotedToWarm: 1 },
  },
  PROMOTE_TO_COLD: {
    event: "PROMOTED_TO_COLD",
    failed: "PROMOTION_ERROR",
    counts: { treated: 1, promotedToCold: 1 },
  },
  PURGE: { event: "PURGED_FROM_COLD", failed: "PURGE_ERROR", counts: { treated: 1, purged: 1 } },
};

/**
 * Decides the step of one artifact of a lifecycle job. The event records its age at the instant by which the
 * run judges.
 */
export const lifecycleStep: ChangeType<LifecycleStepChange, LifecycleItemRow> = {
  grows: ({ step }) => step !== "PURGE",

  refs: ({ jobId, key, step }) => [
    ...itemRefs(jobId, key),
    ["artifact", key],
    ...(step === "PURGE" ? [["gate", "purge"] as const] : []),
  ],

  decide(change, found) {
    const { planned, step, asOf, dryRun, jobId, key, at } = change;
    requireJob(found, jobId);
    const repeated = found.get("jobItem", { ...key, jobId });
    if (repeated !== null) return { effects: [], result: repeated.item as LifecycleItemRow };
    const current = found.get("artifact", key);
    const unchanged =
      current !== null &&
      current.version === planned.version &&
      current.tier === planned.tier &&
      current.ageSince === planned.ageSince;
    const taken = unchanged && dueStep(current, change.policy, asOf) === step;
    const gate = taken && step === "PURGE" && !dryRun ? found.get("gate", "purge") : null;
    if (gate !== null) throw closedGate(gate);
    const held = unchanged && step === "PURGE" && isHeld(current.metadata);
    const item: LifecycleItemRow = {
      tenantId: key.tenantId,
      workflowId: key.workflowId,
      artifactId: key.artifactId,
      step,
      fromTier: planned.tier,
      toTier: STEP_RULES[step].to,
      ageDays: ageDays(planned.ageSince, asOf),
      sizeBytes: planned.sizeBytes,
      outcome: !taken ? "SKIPPED" : dryRun ? "PLANNED" : "DONE",
      errorCode: held ? "HELD" : null,
      error: held ? holdMessage(current) : null,
    };
    const effects = handled(jobId, key, item, taken ? TAKEN[step].counts : { treated: 1 });
    if (!taken || dryRun) return { effects, result: item };
    const { to } = STEP_RULES[step];
    const version = found.seq + 1;
    const event = departureEvent(TAKEN[step].event, change, current, to, { dryRun, jobId, judgedAt: asOf });
    return {
      effects: [
        ...effects,
        ...(to === null
          ? purged(current, version, at)
          : inOtherTier(current, moved(current, to, at, version))),
        { append: "event", value: event },
      ],
      result: item,
    };
  },
};

/** A dry run writes no event for a failed item: the item itself records it. */
export const lifecycleItemFailed: ChangeType<LifecycleItemFailedChange, null> = {
  grows: false,

  refs: ({ jobId, item }) => itemRefs(jobId, item),

  decide(change, found) {
    const { item, jobId, dryRun } = change;
    requireJob(found, jobId);
    if (found.get("jobItem", { ...item, jobId }) !== null) return { effects: [], result: null };
    const event = keyEvent(TAKEN[item.step].failed, change, item, {
      fromTier: item.fromTier,
      toTier: item.toTier,
      ageDays: item.ageDays,
      sizeBytes: item.sizeBytes,
      jobId,
      errorCode: item.errorCode,
      error: item.error,
    });
    return {
      effects: [
        ...handled(jobId, item, { ...item, outcome: "FAILED" }, { treated: 1, errors: 1 }),
        ...(dryRun ? [] : [{ append: "event", value: event } as const]),
      ],
      result: null,
    };
  },
};
