import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { RetentionPolicy } from "@tierkeep/schema/domain/policy";
import type { ErrorCode } from "@tierkeep/schema/domain/refusals";
import type { Job } from "@tierkeep/schema/services/jobs";
import type { Attribution } from "./attribution.ts";
import type { Repeatable } from "./idempotency.ts";
import type { PlanBlock, PlannedItem, PlanStep } from "./plan-blocks.ts";
import type { ArtifactRow, ItemFailure, JobEnding, JobPosition, StoreIds } from "./rows.ts";

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
export interface AdvanceJobChange extends JobAdvance {
  readonly kind: "advanceJob";
  readonly jobId: string;
}

export interface JobAdvance {
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
export interface FinishJobChange extends Attribution, JobEnding {
  readonly kind: "finishJob";
  readonly jobId: string;
  readonly durationSeconds: number;
}

/**
 * Stores a block of the plan of a RUNNING job that is not sealed. Blocks have the numbers 1, 2, …; a block replaces
 * one of an earlier attempt. Changes nothing for any other job.
 */
export interface StorePlanChange {
  readonly kind: "storePlan";
  readonly jobId: string;
  readonly n: number;
  readonly block: PlanBlock;
}

/**
 * Seals the plan of a RUNNING job: its blocks 1 to `blocks` no longer change. Changes nothing for any other job, or
 * where the plan is sealed.
 */
export interface SealPlanChange {
  readonly kind: "sealPlan";
  readonly jobId: string;
  readonly blocks: number;
  /** Number of items of the blocks. */
  readonly items: number;
  /** What a dry run adds to the counters, because its plan is its result. */
  readonly counts: JobCounts;
  /** How the job will end, because the plan is not complete; null: it is. */
  readonly ending: JobEnding | null;
  readonly durationSeconds: number;
}

/**
 * Runs the next items of a block: all in one commit, with the block's position, their outcomes, the job's counters
 * and their events. Nothing happens unless the job is RUNNING and live, the step is one of its kind, and `from` is the
 * block's position. So a batch that is repeated after a crash processes no artifact twice.
 *
 * A lifecycle step is taken where version, tier and age base are as planned and the artifact is still due at the
 * run's asOf under the policy; otherwise the item is SKIPPED. A restore moves the artifact as it is; it is SKIPPED
 * where it is in that tier or a hotter one, and FAILED, with a RESTORE_ERROR event, where it no longer exists.
 *
 * Result: the outcomes, in the order of `items`; null: nothing happened. Refusal: HELD while purging is disabled.
 */
export interface RunBatchChange extends Attribution {
  readonly kind: "runBatch";
  readonly jobId: string;
  readonly n: number;
  readonly step: PlanStep;
  /** Position of the first item in the block. */
  readonly from: number;
  readonly items: readonly PlannedItem[];
  readonly policy: RetentionPolicy;
  readonly storeIds: StoreIds;
  /** Why an item, by its index, cannot be processed: it is FAILED, with its *_ERROR event. */
  readonly failed: Readonly<Record<number, ItemFailure>>;
  readonly durationSeconds: number;
}

/**
 * Stores that a RUNNING job takes no more purge steps, with one LIFECYCLE_STEP_FAILED event: it will end as BLOCKED.
 * Changes nothing where it is known already how the job will end.
 */
export interface BlockPurgesChange extends Attribution {
  readonly kind: "blockPurges";
  readonly jobId: string;
  readonly errorCode: ErrorCode;
  readonly error: string;
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

/** A file of the view under a key without a row. */
export interface AdoptedFile {
  readonly key: ArtifactKey;
  readonly artifact: AdoptedArtifact;
  /** Stored where the artifact is adopted. */
  readonly findings: readonly StoreFinding[];
}

/** A key that a reindex found in the view and that has a row. */
export interface PresentKey {
  readonly key: ArtifactKey;
  /** Files in its placement that are not its own. A live run publishes its view again, which moves them to quarantine. */
  readonly findings: readonly StoreFinding[];
}

/**
 * A batch of a job that adopts files of the view: all in one commit, with the job's counters and findings, and its
 * position. Where a key has no row and is not unpublished, stores its row and an ARTIFACT_ADOPTED event. Its object is
 * staged by `owner`. Dry: counters, findings and the position only.
 *
 * Result, in the order of `files`: "adopted"; "present": the key has a row, which stays as it is; "passed": the key is
 * unpublished, so the file found in its view means nothing. Refusal: UNAVAILABLE when an object is no longer staged by
 * `owner`; then nothing is adopted.
 */
export interface AdoptBatchChange extends Attribution {
  readonly kind: "adoptBatch";
  readonly jobId: string;
  readonly owner: string;
  readonly storeIds: StoreIds;
  readonly dryRun: boolean;
  readonly files: readonly AdoptedFile[];
  readonly present: readonly PresentKey[];
  /** Null: the job's position stays. */
  readonly advance: JobAdvance | null;
}

export type AdoptResult = "adopted" | "present" | "passed";

/**
 * Confirms a live reindex: it no longer blocks purges. Writes a REINDEX_CONFIRMED event with the requester.
 * Changes nothing where the job runs or is confirmed.
 */
export interface ConfirmReindexChange extends Attribution, Repeatable {
  readonly kind: "confirmReindex";
  readonly jobId: string;
}
