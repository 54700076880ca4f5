import { ageDays } from "@tierkeep/schema/domain/ages";
import type { DamageChange } from "../changes.ts";
import type { ArtifactRow } from "../rows.ts";
import { keyEvent } from "./artifact-event.ts";
import { type Decision, decision } from "./decision.ts";

/** `known`: this object's damage is on the log already. The decision's event, where there is one, makes it known. */
export function decideDamage(
  current: ArtifactRow | null,
  known: boolean,
  change: DamageChange,
): Decision<null> {
  const result = () => null;
  if (known || current === null || current.object !== change.object) return decision({ result });
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
