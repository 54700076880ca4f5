import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { JobStatus } from "@tierkeep/schema/domain/jobs";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { LifecycleStep, RetentionPolicy } from "@tierkeep/schema/domain/policy";
import type { ErrorCode } from "@tierkeep/schema/domain/refusals";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Job } from "@tierkeep/schema/services/jobs";
import type { Attribution } from "./attribution.ts";
import type { Repeatable } from "./idempotency.ts";
import type { ArtifactRow, JobPosition, LifecycleItemRow } from "./rows.ts";

/**
 * Stores a RUNNING job and its LIFECYCLE_JOB_STARTED event. A live lifecycle job joins the running one where
 * their inputs are equal; otherwise it is refused with CONFLICT (facts: jobId). A live reindex conflicts with
 * another running one, and a verification with one of the same tenant or, for the complete store, with
 * another of the complete store. Result: StartJobResult.
 */
export interface StartJobChange extends Attribution, Repeatable {
  readonly kind: "startJob";
  readonly job: Job;
  readonly input: unknown;
  readonly expected: number | null;
}

export interface StartJobResult {
  readonly jobId: string;
  /** False: the job was running already. */
  readonly started: boolean;
}

/** The runner's position, and the seconds of work that count so far. */
export interface AdvanceJobChange {
  readonly kind: "advanceJob";
  readonly jobId: string;
  readonly position: JobPosition;
  readonly durationSeconds: number;
  readonly expected?: number | undefined;
  /**
   * The findings since the last position, and what they add to the counters. They are committed with the
   * position, so none counts twice.
   */
  readonly found?:
    | { readonly findings: readonly StoreFinding[]; readonly counts: StoreCounts; readonly treated: number }
    | undefined;
}

/** Counters of a reindex or a verification. Default: 0. */
export interface StoreCounts {
  readonly adopted?: number;
  readonly present?: number;
  readonly quarantined?: number;
  readonly left?: number;
  readonly checked?: number;
  readonly checkedBytes?: number;
  readonly damaged?: number;
  readonly missing?: number;
  readonly stray?: number;
  readonly healed?: number;
}

/** What a change adds to the counters of a job. Default: 0. */
export interface JobCounts extends StoreCounts {
  /** Artifacts processed, whatever the outcome. */
  readonly treated?: number;
  readonly errors?: number;
  readonly promotedToWarm?: number;
  readonly promotedToCold?: number;
  readonly purged?: number;
  readonly restored?: number;
  readonly skipped?: number;
}

/** Requests that a RUNNING job stops. Changes nothing for a job that has ended. */
export interface RequestCancelChange extends Repeatable {
  readonly kind: "requestCancel";
  readonly jobId: string;
}

/**
 * Ends a RUNNING job and writes its LIFECYCLE_JOB_COMPLETED event, with errorCode and error unless it
 * succeeded.
 */
export interface FinishJobChange extends Attribution {
  readonly kind: "finishJob";
  readonly jobId: string;
  readonly status: Exclude<JobStatus, "RUNNING">;
  readonly errorCode: ErrorCode | null;
  readonly error: string | null;
  readonly durationSeconds: number;
}

/**
 * One artifact of a lifecycle job. Takes the step where version, tier and age base are as planned and the
 * artifact is still due at asOf under the policy; otherwise the item is SKIPPED. The item's row, the job's
 * counters and (live) the event are in the same commit.
 *
 * Where the job already has an item for the key, nothing changes: a batch that is repeated after a crash
 * processes no artifact twice. Result: the stored LifecycleItemRow.
 *
 * Dry: the item is PLANNED where a live run would make it DONE; no event, and the artifact does not change.
 */
export interface LifecycleStepChange extends Attribution {
  readonly kind: "lifecycleStep";
  readonly jobId: string;
  readonly key: ArtifactKey;
  readonly planned: {
    readonly version: number;
    readonly tier: Tier;
    readonly ageSince: number;
    readonly sizeBytes: number;
  };
  readonly step: LifecycleStep;
  readonly asOf: number;
  readonly policy: RetentionPolicy;
  readonly dryRun: boolean;
}

/**
 * An artifact of a lifecycle job that could not be processed: item FAILED, the job's error count, one *_ERROR
 * event. Where the job already has an item for the key, nothing changes.
 */
export interface LifecycleItemFailedChange extends Attribution {
  readonly kind: "lifecycleItemFailed";
  readonly jobId: string;
  readonly item: LifecycleItemRow;
  readonly dryRun: boolean;
}

/**
 * One artifact of a restore job, once per job and key. Result: "restored" (counted in a dry run, too);
 * "skipped" where it is already in that tier or a hotter one; "failed", with one RESTORE_ERROR event, where
 * it no longer exists; "repeated" where the job has processed the key.
 */
export interface RestoreItemChange extends Attribution {
  readonly kind: "restoreItem";
  readonly jobId: string;
  readonly key: ArtifactKey;
  readonly toTier: Tier;
  readonly dryRun: boolean;
}

/** An artifact as a reindex adopts it from the published view. */
export type AdoptedArtifact = Pick<
  ArtifactRow,
  | "tier"
  | "sizeBytes"
  | "checksum"
  | "contentType"
  | "metadata"
  | "createdAt"
  | "modifiedAt"
  | "ageSince"
  | "object"
  | "store"
>;

/**
 * One artifact of a reindex, once per job and key. Where the key has no row and is not unpublished, stores
 * its row, an ARTIFACT_ADOPTED event and the job's counters and findings. Its object is staged by `owner`.
 * Dry: counters and findings only.
 *
 * Result: "adopted"; "present": the key has a row, which stays as it is; "passed": the key is unpublished, so
 * the file found in its view means nothing; "repeated". Refusal: UNAVAILABLE when the object is no longer
 * staged by `owner`.
 */
export interface AdoptChange extends Attribution {
  readonly kind: "adopt";
  readonly jobId: string;
  readonly key: ArtifactKey;
  readonly artifact: AdoptedArtifact;
  readonly owner: string;
  readonly dryRun: boolean;
  /** Stored where the artifact is adopted. */
  readonly findings: readonly StoreFinding[];
}

/**
 * A key that a reindex found in the view and that has a row, once per job and key. `findings`: files in its
 * placement that are not its own. A live run publishes its view again, which moves them to quarantine.
 * Result: nothing.
 */
export interface PresentChange {
  readonly kind: "present";
  readonly jobId: string;
  readonly key: ArtifactKey;
  readonly dryRun: boolean;
  readonly findings: readonly StoreFinding[];
}

/**
 * Confirms a live reindex: it no longer blocks purges. Writes a REINDEX_CONFIRMED event with the requester.
 * Changes nothing where the job runs or is confirmed.
 */
export interface ConfirmReindexChange extends Attribution, Repeatable {
  readonly kind: "confirmReindex";
  readonly jobId: string;
}
