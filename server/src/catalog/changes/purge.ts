import { isHeld, RETENTION_OVERRIDE } from "@tierkeep/schema/domain/holds";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { PurgeChange, PurgeResult } from "../artifact-changes.ts";
import type { ChangeType } from "../change-type.ts";
import type { PurgeGate } from "../records.ts";
import { purged } from "./artifact-effects.ts";
import { departureEvent } from "./artifact-event.ts";
import { named, requireChecksumUnchanged, requireCurrent } from "./current-row.ts";

export const purge: ChangeType<PurgeChange, PurgeResult> = {
  grows: false,

  refs: ({ key }) => [
    ["artifact", key],
    ["gate", "purge"],
  ],

  decide(change, found) {
    const { key, at, dryRun } = change;
    const row = requireCurrent(found.get("artifact", key), key, change.fromTier);
    requireChecksumUnchanged(row, key, change.ifChecksum);
    if (isHeld(row.metadata)) throw new Refused("HELD", holdMessage(row), { tier: row.tier });
    const gate = found.get("gate", "purge");
    if (gate !== null && !dryRun) throw closedGate(gate);
    const event = departureEvent("ARTIFACT_PURGED", change, row, null, { dryRun, jobId: null, judgedAt: at });
    const result = { fromTier: row.tier, sizeBytes: row.sizeBytes };
    if (dryRun) return { effects: [{ append: "event", value: event }], result };
    return {
      effects: [...purged(row, found.seq + 1, at), { append: "event", value: event }],
      result,
    };
  },
};

/** Returns the message for a purge of an artifact that is on hold. */
export function holdMessage(key: ArtifactKey): string {
  return `${named(key)} has ${RETENTION_OVERRIDE} in its metadata, which forbids purging it. Write it again without that key first.`;
}

/** Returns the refusal of purges until a reindex is confirmed. */
export function unconfirmedReindex(jobId: string): Refused {
  return new Refused(
    "HELD",
    "A reindex has adopted artifacts, so purging is disabled until it is confirmed. Review its findings, then confirm it: confirmReindex, or tierkeep reindex --confirm.",
    { jobId },
  );
}

/** The same, for the oldest of several reindexes. */
export function closedGate({ jobIds }: PurgeGate): Refused {
  return unconfirmedReindex(jobIds[0] ?? "");
}
