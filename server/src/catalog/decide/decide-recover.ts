import { ageDays } from "@tierkeep/schema/domain/ages";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { RecoverChange } from "../artifact-changes.ts";
import type { StagedObject } from "../records.ts";
import type { ArtifactRow } from "../rows.ts";
import { keyEvent } from "./artifact-event.ts";
import { type Decision, decision } from "./decision.ts";

/**
 * Decides a recovery of content. The object with the damaged bytes does not become garbage, because found
 * bytes are never deleted. Once no row names it, it is an unknown object.
 *
 * @throws Refused
 */
export function decideRecover(
  current: ArtifactRow | null,
  staged: StagedObject | null,
  change: RecoverChange,
): Decision<boolean> {
  const { key, damaged, object, store, owner, jobId, finding, at } = change;
  if (current === null || current.inline || current.damagedAt === null || current.object !== damaged)
    return decision({ result: () => false });
  const isBack = object === damaged;
  if (!isBack && (staged?.owner !== owner || staged.store !== store))
    throw new Refused(
      "UNAVAILABLE",
      "The server discarded the recovered content before the repair was complete. Run the repair again.",
    );
  const { row: _row, version: _version, ...kept } = current;
  return decision({
    row: { kind: "put", row: { ...kept, object, store, damagedAt: null } },
    event: keyEvent("ARTIFACT_HEALED", change, key, {
      toTier: current.tier,
      ageDays: ageDays(current.ageSince, at),
      sizeBytes: current.sizeBytes,
      checksum: current.checksum,
      jobId,
    }),
    unstage: isBack ? null : object,
    found: jobId !== null && finding !== null ? { jobId, findings: [finding], counts: { healed: 1 } } : null,
    result: () => true,
  });
}
