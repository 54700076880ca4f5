import type { LifecycleEventType } from "@tierkeep/schema/domain/events";
import type { Tier } from "@tierkeep/schema/domain/tiers";

// Codes in stored rows. A code that was ever used keeps its meaning.

const TIER_CODES: Record<Tier, number> = { HOT: 0, WARM: 1, COLD: 2 };

const EVENT_TYPE_CODES: Record<LifecycleEventType, number> = {
  ARTIFACT_WRITTEN: 1,
  ARTIFACT_PROMOTED: 2,
  ARTIFACT_RESTORED: 3,
  ARTIFACT_PURGED: 4,
  PROMOTED_TO_WARM: 5,
  PROMOTED_TO_COLD: 6,
  PURGED_FROM_COLD: 7,
  PROMOTION_ERROR: 8,
  PURGE_ERROR: 9,
  RESTORE_ERROR: 10,
  SCAN_ERROR: 11,
  LIFECYCLE_JOB_STARTED: 12,
  LIFECYCLE_JOB_COMPLETED: 13,
  LIFECYCLE_STEP_FAILED: 14,
  ARTIFACT_ADOPTED: 15,
  REINDEX_CONFIRMED: 16,
  ARTIFACT_READ: 17,
  ARTIFACT_HEALED: 18,
  STRAY_QUARANTINED: 19,
  API_KEY_CREATED: 20,
  API_KEY_REVOKED: 21,
  COUNTERS_RECOUNTED: 22,
  SETTING_CHANGED: 23,
  RETENTION_CONFIRMED: 24,
  QUARANTINE_EMPTIED: 25,
};

const TIER_NAMES = inverted(TIER_CODES);
const EVENT_TYPE_NAMES = inverted(EVENT_TYPE_CODES);

export function tierCode(tier: Tier): number {
  return TIER_CODES[tier];
}

export function tierName(code: number): Tier {
  return named(TIER_NAMES, code, "tier");
}

export function eventTypeCode(type: LifecycleEventType): number {
  return EVENT_TYPE_CODES[type];
}

export function eventTypeName(code: number): LifecycleEventType {
  return named(EVENT_TYPE_NAMES, code, "event type");
}

function inverted<K extends string>(codes: Record<K, number>): ReadonlyMap<number, K> {
  return new Map(Object.entries(codes).map(([name, code]) => [code as number, name as K]));
}

function named<K>(names: ReadonlyMap<number, K>, code: number, what: string): K {
  const name = names.get(code);
  if (name === undefined) throw new Error(`The catalog contains the unknown ${what} ${code}.`);
  return name;
}
