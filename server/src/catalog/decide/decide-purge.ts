import { isHeld, RETENTION_OVERRIDE } from "@tierkeep/schema/domain/holds";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { PurgeChange, PurgeResult } from "../artifact-changes.ts";
import type { ArtifactRow } from "../rows.ts";
import { departureEvent } from "./artifact-event.ts";
import { named, requireChecksumUnchanged, requireCurrent } from "./current-row.ts";
import { type Decision, decision } from "./decision.ts";

/**
 * Decides a purge. `unconfirmed`: the reindex that is not confirmed yet; a dry purge ignores it. @throws
 * Refused
 */
export function decidePurge(
  current: ArtifactRow | null,
  unconfirmed: string | null,
  change: PurgeChange,
): Decision<PurgeResult> {
  const row = requireCurrent(current, change.key, change.fromTier);
  requireChecksumUnchanged(row, change.key, change.ifChecksum);
  if (isHeld(row.metadata)) throw new Refused("HELD", holdMessage(row), { tier: row.tier });
  if (unconfirmed !== null && !change.dryRun) throw unconfirmedReindex(unconfirmed);
  const event = departureEvent("ARTIFACT_PURGED", change, row, null, {
    dryRun: change.dryRun,
    jobId: null,
    judgedAt: change.at,
  });
  const result = () => ({ fromTier: row.tier, sizeBytes: row.sizeBytes });
  if (change.dryRun) return decision({ event, result });
  return decision({ row: { kind: "delete" }, event, garbage: garbageOf(row, change.at), result });
}

/** Returns the message for a purge of an artifact that is on hold. */
export function holdMessage(row: ArtifactRow): string {
  return `${named(row)} has ${RETENTION_OVERRIDE} in its metadata, which forbids purging it. Write it again without that key first.`;
}

/** Returns the refusal of purges until a reindex is confirmed. */
export function unconfirmedReindex(jobId: string): Refused {
  return new Refused(
    "HELD",
    "A reindex has adopted artifacts, so purging is disabled until it is confirmed. Review its findings, then confirm it: confirmReindex, or tierkeep reindex --confirm.",
    { jobId },
  );
}

/** Returns the object of a deleted row, as garbage. */
export function garbageOf(row: ArtifactRow, at: number) {
  return { object: row.object, store: row.store, notBefore: at };
}
