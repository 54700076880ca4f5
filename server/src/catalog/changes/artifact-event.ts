import { ageDays } from "@tierkeep/schema/domain/ages";
import type { LifecycleEventType } from "@tierkeep/schema/domain/events";
import { type ArtifactKey, keyOf } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { ArtifactFacts, EventDraft } from "../records.ts";
import { eventOf } from "./event-of.ts";

/** Returns an event about a key. */
export function keyEvent(
  type: LifecycleEventType,
  stamp: { readonly at: number; readonly actor: string },
  key: ArtifactKey,
  facts: Partial<EventDraft> = {},
): EventDraft {
  return eventOf(type, stamp, { ...keyOf(key), ...facts });
}

/**
 * Returns an event about an artifact that leaves its tier: for another tier, or null when it is deleted.
 * `judgedAt`: the instant of the age that the event records.
 */
export function departureEvent(
  type: LifecycleEventType,
  stamp: { readonly at: number; readonly actor: string },
  row: ArtifactFacts,
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
