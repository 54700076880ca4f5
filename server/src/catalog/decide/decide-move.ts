import { Refused } from "@tierkeep/schema/domain/refusals";
import { isHotter, type Tier } from "@tierkeep/schema/domain/tiers";
import type { MoveChange, MoveResult } from "../artifact-changes.ts";
import type { ArtifactRow } from "../rows.ts";
import { departureEvent } from "./artifact-event.ts";
import { named, requireChecksumUnchanged, requireCurrent } from "./current-row.ts";
import { type Decision, decision, type NextRow } from "./decision.ts";

/** @throws Refused */
export function decideMove(current: ArtifactRow | null, change: MoveChange): Decision<MoveResult> {
  const row = requireCurrent(current, change.key, change.fromTier);
  const { toTier } = change;
  const fromTier = row.tier;
  if (fromTier === toTier) {
    throw new Refused("SAME_TIER", `${named(change.key)} is already in ${toTier}.`, {
      tier: fromTier,
    });
  }
  if (change.as === "restore" && !isHotter(toTier, fromTier)) {
    throw new Refused(
      "BAD_USER_INPUT",
      `${named(change.key)} is in ${fromTier}, and a restore only moves to a hotter tier. Promote it to move it to ${toTier}.`,
      { argument: "toTier", tier: fromTier },
    );
  }
  requireChecksumUnchanged(row, change.key, change.ifChecksum);
  const type = change.as === "promote" ? "ARTIFACT_PROMOTED" : "ARTIFACT_RESTORED";
  return decision<MoveResult>({
    row: change.dryRun ? { kind: "keep" } : { kind: "put", row: moved(row, toTier, change.at) },
    event: departureEvent(type, change, row, toTier, {
      dryRun: change.dryRun,
      jobId: null,
      judgedAt: change.at,
    }),
    result: (after) => ({ artifact: after as ArtifactRow, fromTier, toTier }),
  });
}

/**
 * Returns the row in another tier. A move to a hotter tier resets its age. The age base never moves back,
 * even when the clock does.
 */
export function moved(row: ArtifactRow, toTier: Tier, at: number): NextRow {
  const { row: _row, version: _version, ...rest } = row;
  const ageSince = isHotter(toTier, row.tier) ? Math.max(at, row.ageSince) : row.ageSince;
  return { ...rest, tier: toTier, promotedAt: at, promotedFrom: row.tier, ageSince };
}
