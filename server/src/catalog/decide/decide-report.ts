import type { LifecycleEventType } from "@tierkeep/schema/domain/events";
import type { StoreFinding, StoreFindingKind } from "@tierkeep/schema/domain/findings";
import type { ReportChange } from "../upkeep-changes.ts";
import type { EventDraft } from "./decision.ts";
import { eventOf } from "./event-of.ts";

const TYPES: Partial<Record<StoreFindingKind, LifecycleEventType>> = {
  QUARANTINED: "STRAY_QUARANTINED",
  RECOUNTED: "COUNTERS_RECOUNTED",
};

/** Returns the event of a finding that is not logged yet. */
export function decideReport(
  finding: StoreFinding,
  change: Pick<ReportChange, "at" | "actor" | "jobId">,
): EventDraft {
  return eventOf(TYPES[finding.kind] ?? "SCAN_ERROR", change, {
    tenantId: finding.tenantId,
    workflowId: finding.workflowId,
    artifactId: finding.artifactId,
    fromTier: finding.tier,
    jobId: change.jobId,
    error: finding.message,
  });
}
