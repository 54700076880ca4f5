import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Metadata } from "@tierkeep/schema/domain/metadata";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Attribution } from "./attribution.ts";
import type { Repeatable } from "./idempotency.ts";
import type { ArtifactRow, ObjectId } from "./rows.ts";

/** Writes or replaces an artifact. Result: WriteResult. Refusals: PRECONDITION_FAILED (facts: checksum of what is there), UNAVAILABLE when the staged object is not ours any more. */
export interface WriteChange extends Attribution, Repeatable {
  readonly kind: "write";
  readonly key: ArtifactKey;
  readonly tier: Tier;
  readonly object: ObjectId;
  readonly store: string;
  /** The bytes when they ride in the commit; null: they are in the object, staged by `owner`. */
  readonly bytes: Uint8Array | null;
  readonly owner: string;
  readonly sizeBytes: number;
  readonly checksum: string;
  readonly contentType: string;
  readonly metadata: Metadata;
  readonly ifAbsent: boolean;
  readonly ifChecksum: string | null;
}

export interface WriteResult {
  readonly artifact: ArtifactRow;
  readonly created: boolean;
}

/**
 * Moves an artifact to another tier. Result: MoveResult. Refusals: ARTIFACT_NOT_FOUND (facts: the tier it is in, where
 * fromTier was wrong), SAME_TIER, PRECONDITION_FAILED, BAD_USER_INPUT (a restore to a colder tier).
 * Dry: checks and one event, flagged (none where it belongs to a job); nothing else.
 */
export interface MoveChange extends Attribution, Repeatable {
  readonly kind: "move";
  readonly as: "promote" | "restore";
  readonly key: ArtifactKey;
  readonly fromTier: Tier | null;
  readonly toTier: Tier;
  readonly ifChecksum: string | null;
  readonly dryRun: boolean;
}

/** Dry: the row as it is. */
export interface MoveResult {
  readonly artifact: ArtifactRow;
  readonly fromTier: Tier;
  readonly toTier: Tier;
}

/** Deletes an artifact. Result: PurgeResult. Refusals: ARTIFACT_NOT_FOUND, PRECONDITION_FAILED. Dry: checks and one flagged event. */
export interface PurgeChange extends Attribution, Repeatable {
  readonly kind: "purge";
  readonly key: ArtifactKey;
  readonly fromTier: Tier | null;
  readonly ifChecksum: string | null;
  readonly dryRun: boolean;
}

export interface PurgeResult {
  readonly fromTier: Tier;
  readonly sizeBytes: number;
}

/**
 * An artifact's bytes are not what was written. Its row is marked (damagedAt) until it has new ones, and one
 * SCAN_ERROR event tells of it, with CHECKSUM_MISMATCH; nothing happens where that was done, or the row no longer names
 * this object.
 */
export interface DamageChange extends Attribution {
  readonly kind: "damage";
  readonly key: ArtifactKey;
  readonly object: ObjectId;
  readonly error: string;
}

/**
 * A damaged artifact has its bytes again, as `object`, staged by `owner`, or where they were (`damaged` itself): its row
 * names that one, is marked no more, and an ARTIFACT_HEALED event tells of it; `finding` is kept with the job, which counts
 * one more as healed. Result: false where the row does not name `damaged` any more, or is not marked.
 * Refusal: UNAVAILABLE where the staged object is not ours any more.
 */
export interface RecoverChange extends Attribution {
  readonly kind: "recover";
  readonly key: ArtifactKey;
  readonly damaged: ObjectId;
  readonly object: ObjectId;
  readonly store: string;
  readonly owner: string;
  /** Both or neither. */
  readonly jobId: string | null;
  readonly finding: StoreFinding | null;
}
