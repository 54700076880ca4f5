import { isHotter } from "@tierkeep/schema/domain/tiers";
import type { ChangeType } from "../change-type.ts";
import type { ResultOf } from "../changes.ts";
import type { RestoreItemChange } from "../job-changes.ts";
import { inOtherTier } from "./artifact-effects.ts";
import { departureEvent, keyEvent } from "./artifact-event.ts";
import { named } from "./current-row.ts";
import { handled, itemRefs, requireJob } from "./job-items.ts";
import { moved } from "./move.ts";

/** A dry job writes no events of its artifacts: its counters record them. */
export const restoreItem: ChangeType<RestoreItemChange, ResultOf<RestoreItemChange>> = {
  grows: true,

  refs: ({ jobId, key }) => [...itemRefs(jobId, key), ["artifact", key]],

  decide(change, found) {
    const { jobId, key, toTier, dryRun, at } = change;
    requireJob(found, jobId);
    if (found.get("jobItem", { ...key, jobId }) !== null) return { effects: [], result: "repeated" };
    const current = found.get("artifact", key);
    if (current === null) {
      const event = keyEvent("RESTORE_ERROR", change, key, {
        toTier,
        jobId,
        errorCode: "ARTIFACT_NOT_FOUND",
        error: `The artifact ${named(key)} no longer exists.`,
      });
      return {
        effects: [
          ...handled(jobId, key, null, { treated: 1, errors: 1 }),
          ...(dryRun ? [] : [{ append: "event", value: event } as const]),
        ],
        result: "failed",
      };
    }
    if (!isHotter(toTier, current.tier)) {
      return { effects: handled(jobId, key, null, { treated: 1, skipped: 1 }), result: "skipped" };
    }
    const effects = handled(jobId, key, null, { treated: 1, restored: 1 });
    if (dryRun) return { effects, result: "restored" };
    const event = departureEvent("ARTIFACT_RESTORED", change, current, toTier, {
      dryRun,
      jobId,
      judgedAt: at,
    });
    return {
      effects: [
        ...effects,
        ...inOtherTier(current, moved(current, toTier, at, found.seq + 1)),
        { append: "event", value: event },
      ],
      result: "restored",
    };
  },
};
