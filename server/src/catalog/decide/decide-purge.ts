import { isHeld, RETENTION_OVERRIDE } from "@tierkeep/schema/domain/holds";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { PurgeChange, PurgeResult } from "../artifact-changes.ts";
import type { ArtifactRow } from "../rows.ts";
import { departureEvent } from "./artifact-event.ts";
import { named, requireChecksumUnchanged, requireCurrent } from "./current-row.ts";
import { type Decision, decision } from "./decision.ts";

/** `unconfirmed`: the reindex that nobody has confirmed yet. A dry purge does not ask for it, as it purges nothing. @throws Refused */
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

/** Why an artifact that is held is not purged, and what to do. */
export function holdMessage(row: ArtifactRow): string {
  return `${named(row)} has ${RETENTION_OVERRIDE} in its metadata, and what has that is never purged. Write it again without that key first.`;
}

/** Why nothing is purged after a reindex. */
export function unconfirmedReindex(jobId: string): Refused {
  return new Refused(
    "HELD",
    "A reindex has adopted artifacts, and nothing is purged until somebody has looked at what it found. Look at its findings, then confirm it: confirmReindex, or tierkeep reindex --confirm.",
    { jobId },
  );
}

/** The object of a row that is deleted. */
export function garbageOf(row: ArtifactRow, at: number) {
  return { object: row.object, store: row.store, notBefore: at };
}
