import type { LifecycleEventType } from "@tierkeep/schema/domain/events";
import type { EventDraft } from "../records.ts";

/** Returns an event that concerns no artifact and no job, unless `facts` says otherwise. */
export function eventOf(
  type: LifecycleEventType,
  stamp: { readonly at: number; readonly actor: string },
  facts: Partial<Omit<EventDraft, "timestamp" | "type" | "actor">> = {},
): EventDraft {
  return {
    timestamp: stamp.at,
    type,
    actor: stamp.actor,
    tenantId: null,
    workflowId: null,
    artifactId: null,
    fromTier: null,
    toTier: null,
    ageDays: null,
    sizeBytes: null,
    checksum: null,
    dryRun: false,
    jobId: null,
    errorCode: null,
    error: null,
    ...facts,
  };
}
