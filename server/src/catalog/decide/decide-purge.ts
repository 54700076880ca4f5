import type { PurgeChange, PurgeResult } from "../changes.ts";
import type { ArtifactRow } from "../rows.ts";
import { departureEvent } from "./artifact-event.ts";
import { requireChecksumUnchanged, requireCurrent } from "./current-row.ts";
import { type Decision, decision } from "./decision.ts";

/** @throws Refused */
export function decidePurge(current: ArtifactRow | null, change: PurgeChange): Decision<PurgeResult> {
  const row = requireCurrent(current, change.key, change.fromTier);
  requireChecksumUnchanged(row, change.key, change.ifChecksum);
  const event = departureEvent("ARTIFACT_PURGED", change, row, null, {
    dryRun: change.dryRun,
    jobId: null,
    judgedAt: change.at,
  });
  const result = () => ({ fromTier: row.tier, sizeBytes: row.sizeBytes });
  if (change.dryRun) return decision({ event, result });
  return decision({ row: { kind: "delete" }, event, garbage: garbageOf(row, change.at), result });
}

/** The object of a row that is deleted. */
export function garbageOf(row: ArtifactRow, at: number) {
  return { object: row.object, store: row.store, notBefore: at };
}
