import type { LifecycleEvent } from "@tierkeep/schema/domain/events";
import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Attribution } from "./attribution.ts";
import type { Repeatable } from "./idempotency.ts";
import type { ExportState, JobPosition, ObjectId } from "./rows.ts";

/** Names an object that is about to be written. It stays this owner's until a write takes it or it is abandoned. */
export interface StageChange {
  readonly kind: "stage";
  readonly object: ObjectId;
  readonly store: string;
  readonly owner: string;
  readonly at: number;
}

/**
 * Stages an object that is there already and that nothing knows, so that nothing else takes it before a row names it.
 * One that another owner has reserved is taken over. Result: false where it is garbage or staged, and nothing has happened.
 */
export interface StageFoundChange {
  readonly kind: "stageFound";
  readonly object: ObjectId;
  readonly store: string;
  readonly owner: string;
  readonly at: number;
}

/** A staged object that will not be used: it becomes garbage, or what it was where it was reserved. Nothing happens when it is not staged. */
export interface AbandonChange {
  readonly kind: "abandon";
  readonly object: ObjectId;
  readonly at: number;
}

/** The same for everything staged by other owners than this one, at most `limit` at once. Result: how many. */
export interface AbandonOrphanedChange {
  readonly kind: "abandonOrphaned";
  readonly owner: string;
  readonly limit: number;
  readonly at: number;
}

/** The object is durable: the row that names it drops its inline copy. Nothing happens where no row names it any more. */
export interface SettledChange {
  readonly kind: "settled";
  readonly key: ArtifactKey;
  readonly object: ObjectId;
}

/** The view of this key agrees with what was read at `version`: the mark is cleared where that version still stands. */
export interface PublishedChange {
  readonly kind: "published";
  readonly key: ArtifactKey;
  readonly version: number;
}

/** The view of this key is made to agree with its row once more, and `found` is kept with the job. Nothing happens where it has none. */
export interface RepublishChange {
  readonly kind: "republish";
  readonly key: ArtifactKey;
  readonly found?: { readonly jobId: string; readonly findings: readonly StoreFinding[] } | undefined;
}

/** The garbage object is gone from its store. */
export interface CollectedChange {
  readonly kind: "collected";
  readonly object: ObjectId;
}

/**
 * Findings that no other change tells of: an event each, the first time that a path is found so, or where there is no
 * path what belongs to a tenant or workflow; again only when a whole pass of the scrubber has not met it. Result: how many
 * were new.
 */
export interface ReportChange extends Attribution {
  readonly kind: "report";
  readonly jobId: string | null;
  readonly findings: readonly StoreFinding[];
}

/**
 * Findings (QUARANTINED) of what a verification is about to move to quarantine: an event, a finding and a count of the
 * job's each, in one commit, once for a job and path. So a move that is repeated after a crash is told once.
 */
export interface QuarantineChange extends Attribution {
  readonly kind: "quarantine";
  readonly jobId: string;
  readonly findings: readonly StoreFinding[];
}

/**
 * Counters are set to what is there: a workflow's to a count of its artifacts, a tenant's to the sums of its workflows',
 * those of the whole to the sums of the tenants'; so where several are wrong, in this order. `finding` (RECOUNTED) says
 * whose: it is an event and a finding of the job in the same commit. It keeps the writer for as long as it counts: some ms
 * for thousands of artifacts, seconds for a workflow of a million, and nobody writes meanwhile. Nothing happens to a tenant
 * or workflow that is not there.
 */
export interface RecountChange extends Attribution {
  readonly kind: "recount";
  readonly jobId: string;
  readonly finding: StoreFinding;
}

/** Where the scrubber stands now; `passEnds`: it has been through everything. */
export interface ScrubbedChange {
  readonly kind: "scrubbed";
  readonly position: JobPosition;
  readonly passEnds: boolean;
}

/**
 * Removes items and findings, at most `limit` at once, of jobs of the same kind and tenant as `jobId`: all but those of
 * the newest `keep` jobs that have any. Jobs of other tenants keep theirs. Result: how many rows.
 */
export interface SweepJobItemsChange {
  readonly kind: "sweepJobItems";
  readonly jobId: string;
  readonly keep: number;
  readonly limit: number;
}

/** Removes answers given before an instant (ms since the epoch), the oldest first, at most `limit` at once. Result: how many. */
export interface SweepAnswersChange {
  readonly kind: "sweepAnswers";
  readonly before: number;
  readonly limit: number;
}

/** Files that are about to be deleted from quarantine: an event each. Result: `result`, of all files of the call. */
export interface EmptyQuarantineChange extends Attribution, Repeatable {
  readonly kind: "emptyQuarantine";
  readonly files: readonly { readonly name: string; readonly sizeBytes: number }[];
  readonly result: { readonly count: number; readonly totalBytes: number };
}

/** An event that goes with no other change (LIFECYCLE_STEP_FAILED, SCAN_ERROR). */
export interface EventChange {
  readonly kind: "event";
  readonly event: Omit<LifecycleEvent, "seq">;
}

/** What the audit exporter has on disk now. */
export interface ExportedChange {
  readonly kind: "exported";
  readonly state: ExportState;
}
