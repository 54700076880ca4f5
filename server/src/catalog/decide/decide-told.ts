import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { TellChange } from "../upkeep-changes.ts";
import type { EventDraft } from "./decision.ts";
import { eventOf } from "./event-of.ts";

/** The event of a finding that the log does not know yet. */
export function decideTold(
  finding: StoreFinding,
  change: Pick<TellChange, "at" | "actor" | "jobId">,
): EventDraft {
  return eventOf(finding.kind === "QUARANTINED" ? "STRAY_QUARANTINED" : "SCAN_ERROR", change, {
    tenantId: finding.tenantId,
    workflowId: finding.workflowId,
    artifactId: finding.artifactId,
    fromTier: finding.tier,
    jobId: change.jobId,
    error: finding.message,
  });
}
