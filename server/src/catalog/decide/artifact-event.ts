import { ageDays } from "@tierkeep/schema/domain/ages";
import type { LifecycleEventType } from "@tierkeep/schema/domain/events";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { ArtifactRow } from "../rows.ts";
import type { EventDraft } from "./decision.ts";

/** An event about a key, with everything that does not concern it left out. */
export function keyEvent(
  type: LifecycleEventType,
  stamp: { readonly at: number; readonly actor: string },
  key: ArtifactKey,
  facts: Partial<EventDraft> = {},
): EventDraft {
  return {
    timestamp: stamp.at,
    type,
    actor: stamp.actor,
    tenantId: key.tenantId,
    workflowId: key.workflowId,
    artifactId: key.artifactId,
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

/** An event about an artifact that leaves the tier it is in: for another one or (null) for good. `judgedAt`: the instant its age is told for. */
export function departureEvent(
  type: LifecycleEventType,
  stamp: { readonly at: number; readonly actor: string },
  row: ArtifactRow,
  toTier: Tier | null,
  facts: { readonly dryRun: boolean; readonly jobId: string | null; readonly judgedAt: number },
): EventDraft {
  return keyEvent(type, stamp, row, {
    fromTier: row.tier,
    toTier,
    ageDays: ageDays(row.ageSince, facts.judgedAt),
    sizeBytes: row.sizeBytes,
    checksum: row.checksum,
    dryRun: facts.dryRun,
    jobId: facts.jobId,
  });
}
