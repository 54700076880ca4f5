import { isHotter } from "@tierkeep/schema/domain/tiers";
import { moved } from "../changes/move.ts";
import type { ResultOf } from "../changes.ts";
import type { RestoreItemChange } from "../job-changes.ts";
import type { ArtifactRow } from "../rows.ts";
import { departureEvent, keyEvent } from "./artifact-event.ts";
import { named } from "./current-row.ts";
import { type Decision, decision } from "./decision.ts";

/**
 * Decides one artifact of a restore job. `repeated`: the job has processed this key already. A dry job writes
 * no events of its artifacts: its counters record them.
 */
export function decideRestoreItem(
  current: ArtifactRow | null,
  repeated: boolean,
  change: RestoreItemChange,
): Decision<ResultOf<RestoreItemChange>> {
  if (repeated) return decision({ result: () => "repeated" });
  const { jobId, toTier, dryRun } = change;
  if (current === null) {
    const event = keyEvent("RESTORE_ERROR", change, change.key, {
      toTier,
      jobId,
      errorCode: "ARTIFACT_NOT_FOUND",
      error: `The artifact ${named(change.key)} no longer exists.`,
    });
    return decision({
      event: dryRun ? null : event,
      job: { id: jobId, progress: { treated: 1, errors: 1 } },
      result: () => "failed",
    });
  }
  if (!isHotter(toTier, current.tier)) {
    return decision({ job: { id: jobId, progress: { treated: 1, skipped: 1 } }, result: () => "skipped" });
  }
  const job = { id: jobId, progress: { treated: 1, restored: 1 } as const };
  if (dryRun) return decision({ job, result: () => "restored" });
  return decision({
    row: { kind: "put", row: moved(current, toTier, change.at) },
    event: departureEvent("ARTIFACT_RESTORED", change, current, toTier, {
      dryRun,
      jobId,
      judgedAt: change.at,
    }),
    job,
    result: () => "restored",
  });
}
