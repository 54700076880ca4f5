import { Refused } from "@tierkeep/schema/domain/refusals";
import { isHotter, type Tier } from "@tierkeep/schema/domain/tiers";
import type { MoveChange, MoveResult } from "../artifact-changes.ts";
import type { ChangeType } from "../change-type.ts";
import type { ArtifactFacts } from "../records.ts";
import { inOtherTier } from "./artifact-effects.ts";
import { departureEvent } from "./artifact-event.ts";
import { named, requireChecksumUnchanged, requireCurrent } from "./current-row.ts";

export const move: ChangeType<MoveChange, MoveResult> = {
  grows: true,

  refs: ({ key }) => [["artifact", key]],

  decide(change, found) {
    const { key, toTier, at, dryRun } = change;
    const row = requireCurrent(found.get("artifact", key), key, change.fromTier);
    const fromTier = row.tier;
    if (fromTier === toTier) {
      throw new Refused("SAME_TIER", `${named(key)} is already in ${toTier}.`, { tier: fromTier });
    }
    if (change.as === "restore" && !isHotter(toTier, fromTier)) {
      throw new Refused(
        "BAD_USER_INPUT",
        `${named(key)} is in ${fromTier}, and a restore only moves to a hotter tier. Promote it to move it to ${toTier}.`,
        { argument: "toTier", tier: fromTier },
      );
    }
    requireChecksumUnchanged(row, key, change.ifChecksum);
    const type = change.as === "promote" ? "ARTIFACT_PROMOTED" : "ARTIFACT_RESTORED";
    const event = departureEvent(type, change, row, toTier, { dryRun, jobId: null, judgedAt: at });
    if (dryRun) {
      return { effects: [{ append: "event", value: event }], result: { artifact: row, fromTier, toTier } };
    }
    const artifact = moved(row, toTier, at, found.seq + 1);
    return {
      effects: [...inOtherTier(row, artifact, change.storeIds, at), { append: "event", value: event }],
      result: { artifact, fromTier, toTier },
    };
  },
};

/**
 * Returns the row in another tier. A move to a hotter tier resets its age. The age base never moves back,
 * even when the clock does.
 */
export function moved<Row extends ArtifactFacts>(row: Row, toTier: Tier, at: number, version: number): Row {
  const ageSince = isHotter(toTier, row.tier) ? Math.max(at, row.ageSince) : row.ageSince;
  return { ...row, tier: toTier, promotedAt: at, promotedFrom: row.tier, ageSince, version };
}
