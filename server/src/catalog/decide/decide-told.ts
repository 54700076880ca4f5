import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { TellChange } from "../upkeep-changes.ts";
import type { EventDraft } from "./decision.ts";

/** The event of a finding that the log does not know yet. */
export function decideTold(
  finding: StoreFinding,
  { at, actor, jobId }: Pick<TellChange, "at" | "actor" | "jobId">,
): EventDraft {
  return {
    timestamp: at,
    type: finding.kind === "QUARANTINED" ? "STRAY_QUARANTINED" : "SCAN_ERROR",
    actor,
    tenantId: finding.tenantId,
    workflowId: finding.workflowId,
    artifactId: finding.artifactId,
    fromTier: finding.tier,
    toTier: null,
    ageDays: null,
    sizeBytes: null,
    checksum: null,
    dryRun: false,
    jobId,
    errorCode: null,
    error: finding.message,
  };
}
