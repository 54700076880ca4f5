import type { LifecycleEvent } from "@tierkeep/schema/domain/events";

/**
 * An event as a line of the audit log, newline included: line format 1. A function of the event alone, so that what was
 * written once can be recognised, and written again byte for byte. Every key stands in every line, in this order.
 */
export function jsonlLine(event: LifecycleEvent): string {
  return `${JSON.stringify({
    seq: event.seq,
    timestamp: new Date(event.timestamp).toISOString(),
    event_type: event.type.toLowerCase(),
    tenant_id: event.tenantId,
    workflow_id: event.workflowId,
    artifact_id: event.artifactId,
    from_tier: event.fromTier,
    to_tier: event.toTier,
    age_days: event.ageDays,
    size_bytes: event.sizeBytes,
    checksum: event.checksum,
    dry_run: event.dryRun,
    actor: event.actor,
    job_id: event.jobId,
    error_code: event.errorCode,
    error: event.error,
  })}\n`;
}
