import type { LifecycleEvent } from "@tierkeep/schema/domain/events";
import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Attribution } from "./attribution.ts";
import type { Repeatable } from "./idempotency.ts";
import type { Miscount } from "./miscounts.ts";
import type { ExportState, JobPosition, ObjectId } from "./rows.ts";

/**
 * Stages an object before it is written. It stays staged by this owner until a write commits it or it is
 * abandoned.
 */
export interface StageChange {
  readonly kind: "stage";
  readonly object: ObjectId;
  readonly store: string;
  readonly owner: string;
  readonly at: number;
}

/**
 * Stages an existing unknown object, so that no other process uses it before a row names it. An object staged
 * by another owner is taken over. Result: false where the object is garbage or being written; then nothing
 * changes.
 */
export interface StageFoundChange {
  readonly kind: "stageFound";
  readonly object: ObjectId;
  readonly store: string;
  readonly owner: string;
  readonly at: number;
}

/**
 * Abandons a staged object. It becomes garbage, or an unknown object again where it existed before it was
 * staged. Changes nothing where it is not staged.
 */
export interface AbandonChange {
  readonly kind: "abandon";
  readonly object: ObjectId;
  readonly at: number;
}

/** Abandons the objects staged by owners other than this one, at most `limit` per call. Result: how many. */
export interface AbandonOrphanedChange {
  readonly kind: "abandonOrphaned";
  readonly owner: string;
  readonly limit: number;
  readonly at: number;
}

/**
 * Records that the object is durable: the row that names it drops its inline content. Changes nothing where
 * no row names it.
 */
export interface SettledChange {
  readonly kind: "settled";
  readonly key: ArtifactKey;
  readonly object: ObjectId;
}

/**
 * Records that the view of this key matches what was read at `version`. Clears the mark while that is still
 * the version.
 */
export interface PublishedChange {
  readonly kind: "published";
  readonly key: ArtifactKey;
  readonly version: number;
}

/**
 * Publishes the view of this key again, and stores `found` with the job. Changes nothing where the key has no
 * row.
 */
export interface RepublishChange {
  readonly kind: "republish";
  readonly key: ArtifactKey;
  readonly found?: { readonly jobId: string; readonly findings: readonly StoreFinding[] } | undefined;
}

/** Records that a garbage object is deleted from its store. */
export interface CollectedChange {
  readonly kind: "collected";
  readonly object: ObjectId;
}

/**
 * Reports findings that belong to no other change. Writes an event the first time a path is reported with
 * this kind, or the tenant or workflow where the finding has no path. Writes it again only after a complete
 * pass of the scrubber without it. Result: the number of new findings.
 */
export interface ReportChange extends Attribution {
  readonly kind: "report";
  readonly jobId: string | null;
  readonly findings: readonly StoreFinding[];
}

/**
 * Reports the findings (QUARANTINED) of files that a verification is about to quarantine: an event, a finding
 * and a count of the job each, in one commit, once per job and path. A move that is repeated after a crash is
 * reported once.
 */
export interface QuarantineChange extends Attribution {
  readonly kind: "quarantine";
  readonly jobId: string;
  readonly findings: readonly StoreFinding[];
}

/**
 * Corrects the usage counters of an owner by the difference between the stored values and a full count, both read in
 * one snapshot (`miscounts`). Changes since that snapshot count in both, so the difference is still right. `finding`
 * (RECOUNTED) names the owner; it is an event and a finding of the job in the same commit.
 */
export interface CorrectUsageChange extends Attribution {
  readonly kind: "correctUsage";
  readonly jobId: string;
  readonly miscount: Miscount;
  readonly finding: StoreFinding;
}

/** The scrubber's current position; `passEnds`: it has read everything once. */
export interface ScrubbedChange {
  readonly kind: "scrubbed";
  readonly position: JobPosition;
  readonly passEnds: boolean;
}

/**
 * Deletes plans and findings of jobs of the same kind and tenant as `jobId`, at most `limit` rows: all except
 * those of the newest `keep` jobs that have any. Result: the number of rows.
 */
export interface SweepJobsChange {
  readonly kind: "sweepJobs";
  readonly jobId: string;
  readonly keep: number;
  readonly limit: number;
}

/**
 * Deletes answers given before an instant (ms since the epoch), oldest first, at most `limit`. Result: how
 * many.
 */
export interface SweepAnswersChange {
  readonly kind: "sweepAnswers";
  readonly before: number;
  readonly limit: number;
}

/**
 * Files that are about to be deleted from quarantine, one event each. Result: `result`, about all files of
 * the call.
 */
export interface EmptyQuarantineChange extends Attribution, Repeatable {
  readonly kind: "emptyQuarantine";
  readonly files: readonly { readonly name: string; readonly sizeBytes: number }[];
  readonly result: { readonly count: number; readonly totalBytes: number };
}

/** An event that belongs to no other change (LIFECYCLE_STEP_FAILED, SCAN_ERROR). */
export interface EventChange {
  readonly kind: "event";
  readonly event: Omit<LifecycleEvent, "seq">;
}

/** The audit exporter's durable position. */
export interface ExportedChange {
  readonly kind: "exported";
  readonly state: ExportState;
}

/** Changes without rules: a driver runs their statements and never refuses them. Result: the number of changed rows. */
export type StatementChange =
  | StageChange
  | AbandonOrphanedChange
  | SettledChange
  | PublishedChange
  | CollectedChange
  | ScrubbedChange
  | SweepJobsChange
  | SweepAnswersChange;
