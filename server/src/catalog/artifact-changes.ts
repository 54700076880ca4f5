import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Metadata } from "@tierkeep/schema/domain/metadata";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Attribution } from "./attribution.ts";
import type { Repeatable } from "./idempotency.ts";
import type { ArtifactRow, ObjectId, StoreIds } from "./rows.ts";

/**
 * Writes or replaces an artifact. Result: WriteResult. Refusals: PRECONDITION_FAILED (facts: checksum of the
 * current content), UNAVAILABLE when the object is no longer staged by `owner`.
 */
export interface WriteChange extends Attribution, Repeatable {
  readonly kind: "write";
  readonly key: ArtifactKey;
  readonly tier: Tier;
  readonly object: ObjectId;
  readonly store: string;
  /** The inline content; null: it is in the object, which `owner` has staged. */
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
 * Moves an artifact to another tier. Result: MoveResult. Refusals: ARTIFACT_NOT_FOUND (facts: the current
 * tier, where fromTier was wrong), SAME_TIER, PRECONDITION_FAILED, BAD_USER_INPUT (a restore to a colder
 * tier). Dry: only checks, and one event that is marked as dry (none when it belongs to a job).
 */
export interface MoveChange extends Attribution, Repeatable {
  readonly kind: "move";
  readonly as: "promote" | "restore";
  readonly key: ArtifactKey;
  readonly fromTier: Tier | null;
  readonly toTier: Tier;
  readonly storeIds: StoreIds;
  readonly ifChecksum: string | null;
  readonly dryRun: boolean;
}

/** For a dry run, the unchanged row. */
export interface MoveResult {
  readonly artifact: ArtifactRow;
  readonly fromTier: Tier;
  readonly toTier: Tier;
}

/**
 * Deletes an artifact. Result: PurgeResult. Refusals: ARTIFACT_NOT_FOUND, PRECONDITION_FAILED. Dry: only
 * checks, and one event that is marked as dry.
 */
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
 * Records that an artifact's bytes are damaged: marks its row (damagedAt) until new bytes are written, and
 * writes one SCAN_ERROR event with CHECKSUM_MISMATCH. Changes nothing where the row is marked already or no
 * longer names this object.
 */
export interface DamageChange extends Attribution {
  readonly kind: "damage";
  readonly key: ArtifactKey;
  readonly object: ObjectId;
  readonly error: string;
}

/**
 * Records that the bytes of a damaged artifact are intact again: in `object`, which `owner` has staged, or in
 * `damaged` itself. The row then names that object and loses its mark. Writes an ARTIFACT_HEALED event,
 * stores `finding` with the job and counts it there as healed. Result: false where the row no longer names
 * `damaged` or has no mark. Refusal: UNAVAILABLE when the object is no longer staged by `owner`.
 */
export interface RecoverChange extends Attribution {
  readonly kind: "recover";
  readonly key: ArtifactKey;
  readonly damaged: ObjectId;
  readonly object: ObjectId;
  readonly store: string;
  readonly owner: string;
  /** The job and the finding are both given, or neither is. */
  readonly jobId: string | null;
  readonly finding: StoreFinding | null;
}

/**
 * Records that the content of an artifact was copied to the store of its tier. The row then names the copy, which
 * `owner` has staged, and the object that it named becomes garbage. Version and age stay, and there is no event.
 *
 * Result: whether the row names the copy now. False where the row names another object than `from`, is damaged, or is
 * in a tier of another store; then the copy is not used. The mark `misplaced` is cleared where the artifact is deleted
 * or in the store of its tier.
 */
export interface RelocatedChange {
  readonly kind: "relocated";
  readonly key: ArtifactKey;
  /** Null: nothing was copied, and only the mark is looked at. */
  readonly copy: { readonly from: ObjectId; readonly object: ObjectId; readonly store: string } | null;
  readonly storeIds: StoreIds;
  readonly owner: string;
  readonly at: number;
}
