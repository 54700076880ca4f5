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
 * Stores a RUNNING job and its LIFECYCLE_JOB_STARTED event. A live lifecycle job joins the one that runs where their
 * inputs are the same; where they are not: CONFLICT (facts: jobId), as with a live reindex while another one runs, and a
 * verification while one of the same tenant (or another one of the whole store) does. Result: StartJobResult.
 */
export interface StartJobChange extends Attribution, Repeatable {
  readonly kind: "startJob";
  readonly job: Job;
  readonly input: unknown;
  readonly expected: number | null;
}

export interface StartJobResult {
  readonly jobId: string;
  /** False: that job was under way already. */
  readonly started: boolean;
}

/** Where the runner stands now, and the seconds of work that count so far. */
export interface AdvanceJobChange {
  readonly kind: "advanceJob";
  readonly jobId: string;
  readonly position: JobPosition;
  readonly durationSeconds: number;
  readonly expected?: number | undefined;
  /** What was found on the way here, and what it adds to the counters: in one commit with the position, so that none counts twice. */
  readonly found?:
    | { readonly findings: readonly StoreFinding[]; readonly counts: StoreCounts; readonly treated: number }
    | undefined;
}

/** What counts of a reindex or a verification; left out: 0. */
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

/** A job that is RUNNING is asked to stop. Nothing happens to one that has ended. */
export interface RequestCancelChange extends Repeatable {
  readonly kind: "requestCancel";
  readonly jobId: string;
}

/** Ends a RUNNING job and writes its LIFECYCLE_JOB_COMPLETED event (errorCode and error where it did not succeed). */
export interface FinishJobChange extends Attribution {
  readonly kind: "finishJob";
  readonly jobId: string;
  readonly status: Exclude<JobStatus, "RUNNING">;
  readonly errorCode: ErrorCode | null;
  readonly error: string | null;
  readonly durationSeconds: number;
}

/**
 * One artifact of a lifecycle job: takes the step where version, tier and age base are as planned and it is still due
 * at asOf under the policy; else the item is SKIPPED. Writes the item row, the job's counters and (live) the event in
 * the same commit. An item that the job already has is left as it is, and then nothing else happens either: so a batch
 * repeated after a crash treats no artifact twice. Result: LifecycleItemRow (the one that stands).
 * Dry: the item is PLANNED where live it would be DONE; no event, no change to the artifact.
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

/** An artifact of a lifecycle job that could not be treated: item FAILED, the job's error count, one *_ERROR event. Same rule for repeats. */
export interface LifecycleItemFailedChange extends Attribution {
  readonly kind: "lifecycleItemFailed";
  readonly jobId: string;
  readonly item: LifecycleItemRow;
  readonly dryRun: boolean;
}

/**
 * One artifact of a restore job: restores it, counts it restored (dry: too), or skipped where it already is in that
 * tier or a hotter one, or failed with one RESTORE_ERROR event where it is gone. Once per job and key. Result: "restored" | "skipped" | "failed" | "repeated".
 */
export interface RestoreItemChange extends Attribution {
  readonly kind: "restoreItem";
  readonly jobId: string;
  readonly key: ArtifactKey;
  readonly toTier: Tier;
  readonly dryRun: boolean;
}

/** An artifact as a reindex takes it up from the published tree. */
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
 * One artifact of a reindex: its row, an ARTIFACT_ADOPTED event, the job's counters and findings, where the key has no
 * row and its view is not behind. Its object is staged by `owner`. Once per job and key. Result: "adopted"; "present":
 * it has a row, which stands; "passed": its view is behind, so what was found there means nothing; "repeated".
 * Refusal: UNAVAILABLE where the staged object is not ours any more. Dry: counters and findings only.
 */
export interface AdoptChange extends Attribution {
  readonly kind: "adopt";
  readonly jobId: string;
  readonly key: ArtifactKey;
  readonly artifact: AdoptedArtifact;
  readonly owner: string;
  readonly dryRun: boolean;
  /** Told where it is adopted. */
  readonly findings: readonly StoreFinding[];
}

/**
 * A key that a reindex found in the tree and that has a row. `findings`: files in its places that are not its own; live,
 * its view is published anew, which moves them to quarantine. Once per job and key. Result: nothing.
 */
export interface PresentChange {
  readonly kind: "present";
  readonly jobId: string;
  readonly key: ArtifactKey;
  readonly dryRun: boolean;
  readonly findings: readonly StoreFinding[];
}

/** Somebody has looked at what a live reindex found: it holds up no purge any more, and a REINDEX_CONFIRMED event says who. Nothing happens to one that runs or is confirmed. */
export interface ConfirmReindexChange extends Attribution, Repeatable {
  readonly kind: "confirmReindex";
  readonly jobId: string;
}
