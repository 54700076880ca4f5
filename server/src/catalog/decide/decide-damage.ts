import { ageDays } from "@tierkeep/schema/domain/ages";
import type { DamageChange } from "../artifact-changes.ts";
import type { ArtifactRow } from "../rows.ts";
import { keyEvent } from "./artifact-event.ts";
import { type Decision, decision } from "./decision.ts";

/** A decision with an event also marks the row. The mark prevents a second event for the same damage. */
export function decideDamage(current: ArtifactRow | null, change: DamageChange): Decision<null> {
  const result = () => null;
  if (current === null || current.damagedAt !== null || current.object !== change.object)
    return decision({ result });
  const event = keyEvent("SCAN_ERROR", change, change.key, {
    fromTier: current.tier,
    ageDays: ageDays(current.ageSince, change.at),
    sizeBytes: current.sizeBytes,
    checksum: current.checksum,
    errorCode: "CHECKSUM_MISMATCH",
    error: change.error,
  });
  return decision({ event, result });
}
