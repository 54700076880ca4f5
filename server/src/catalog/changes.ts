import type { LifecycleEvent } from "@tierkeep/schema/domain/events";
import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { JobStatus } from "@tierkeep/schema/domain/jobs";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Metadata } from "@tierkeep/schema/domain/metadata";
import type { LifecycleStep, RetentionPolicy } from "@tierkeep/schema/domain/policy";
import type { ErrorCode, RefusalRecord } from "@tierkeep/schema/domain/refusals";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Job } from "@tierkeep/schema/services/jobs";
import type { ApiKey } from "@tierkeep/schema/services/keys";
import type { Repeatable } from "./once.ts";
import type { ArtifactRow, ExportState, JobPosition, LifecycleItemRow, ObjectId } from "./rows.ts";

/** Who asks, and when by the engine's clock (ms since the epoch). */
interface Stamped {
  readonly at: number;
  readonly actor: string;
}

/** Names an object that is about to be written. It stays this owner's until a write takes it or it is abandoned. */
export interface StageChange {
  readonly kind: "stage";
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
export interface AbandonStrangersChange {
  readonly kind: "abandonStrangers";
  readonly owner: string;
  readonly limit: number;
  readonly at: number;
}

/** Writes or replaces an artifact. Result: WriteResult. Refusals: PRECONDITION_FAILED (facts: checksum of what is there), UNAVAILABLE when the staged object is not ours any more. */
export interface WriteChange extends Stamped, Repeatable {
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

/**
 * Moves an artifact to another tier. Result: MoveResult. Refusals: ARTIFACT_NOT_FOUND (facts: the tier it is in, where
 * fromTier was wrong), SAME_TIER, PRECONDITION_FAILED, BAD_USER_INPUT (a restore to a colder tier).
 * Dry: checks and one event, flagged (none where it belongs to a job); nothing else.
 */
export interface MoveChange extends Stamped, Repeatable {
  readonly kind: "move";
  readonly as: "promote" | "restore";
  readonly key: ArtifactKey;
  readonly fromTier: Tier | null;
  readonly toTier: Tier;
  readonly ifChecksum: string | null;
  readonly dryRun: boolean;
}

/** Deletes an artifact. Result: PurgeResult. Refusals: ARTIFACT_NOT_FOUND, PRECONDITION_FAILED. Dry: checks and one flagged event. */
export interface PurgeChange extends Stamped, Repeatable {
  readonly kind: "purge";
  readonly key: ArtifactKey;
  readonly fromTier: Tier | null;
  readonly ifChecksum: string | null;
  readonly dryRun: boolean;
}

/**
 * One artifact of a lifecycle job: takes the step where version, tier and age base are as planned and it is still due
 * at asOf under the policy; else the item is SKIPPED. Writes the item row, the job's counters and (live) the event in
 * the same commit. An item that the job already has is left as it is, and then nothing else happens either: so a batch
 * repeated after a crash treats no artifact twice. Result: LifecycleItemRow (the one that stands).
 * Dry: the item is PLANNED where live it would be DONE; no event, no change to the artifact.
 */
export interface LifecycleStepChange extends Stamped {
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
export interface LifecycleItemFailedChange extends Stamped {
  readonly kind: "lifecycleItemFailed";
  readonly jobId: string;
  readonly item: LifecycleItemRow;
  readonly dryRun: boolean;
}

/**
 * One artifact of a restore job: restores it, counts it restored (dry: too), or skipped where it already is in that
 * tier or a hotter one, or failed with one RESTORE_ERROR event where it is gone. Once per job and key. Result: "restored" | "skipped" | "failed" | "repeated".
 */
export interface RestoreItemChange extends Stamped {
  readonly kind: "restoreItem";
  readonly jobId: string;
  readonly key: ArtifactKey;
  readonly toTier: Tier;
  readonly dryRun: boolean;
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

/**
 * Stages an object that is there already and that nothing knows, so that nothing else takes it before a row names it.
 * One that another owner has reserved is taken over. Result: false where it is garbage or staged, and nothing has happened.
 */
export interface ReserveChange {
  readonly kind: "reserve";
  readonly object: ObjectId;
  readonly store: string;
  readonly owner: string;
  readonly at: number;
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
export interface AdoptChange extends Stamped {
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
export interface ConfirmReindexChange extends Stamped, Repeatable {
  readonly kind: "confirmReindex";
  readonly jobId: string;
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

/** The garbage object is gone from its store. */
export interface CollectedChange {
  readonly kind: "collected";
  readonly object: ObjectId;
}

/**
 * An artifact's bytes are not what was written. Its row is marked (damagedAt) until it has new ones, and one
 * SCAN_ERROR event tells of it, with CHECKSUM_MISMATCH; nothing happens where that was done, or the row no longer names
 * this object.
 */
export interface DamageChange extends Stamped {
  readonly kind: "damage";
  readonly key: ArtifactKey;
  readonly object: ObjectId;
  readonly error: string;
}

/**
 * A damaged artifact has its bytes again, as `object`, staged by `owner`, or where they were (`damaged` itself): its row names that one, is marked no more, and
 * an ARTIFACT_HEALED event tells of it. Result: false where the row does not name `damaged` any more, or is not marked.
 * Refusal: UNAVAILABLE where the staged object is not ours any more.
 */
export interface HealChange extends Stamped {
  readonly kind: "heal";
  readonly key: ArtifactKey;
  readonly damaged: ObjectId;
  readonly object: ObjectId;
  readonly store: string;
  readonly owner: string;
  readonly jobId: string | null;
}

/**
 * Findings that no other change tells of: an event each, the first time that a path is found so; again only when a
 * whole pass of the scrubber has not met it. What is moved to quarantine (QUARANTINED) is told of each time. Result: how
 * many were new.
 */
export interface TellChange extends Stamped {
  readonly kind: "tell";
  readonly jobId: string | null;
  readonly findings: readonly StoreFinding[];
}

/** The view of this key is made to agree with its row once more. Nothing happens where it has none. */
export interface RepublishChange {
  readonly kind: "republish";
  readonly key: ArtifactKey;
}

/** Where the scrubber stands now; `passEnds`: it has been through everything. */
export interface ScrubbedChange {
  readonly kind: "scrubbed";
  readonly position: JobPosition;
  readonly passEnds: boolean;
}

/**
 * Stores a RUNNING job and its LIFECYCLE_JOB_STARTED event. A live lifecycle job joins the one that runs where their
 * inputs are the same; where they are not: CONFLICT (facts: jobId). Result: StartJobResult.
 */
export interface StartJobChange extends Stamped, Repeatable {
  readonly kind: "startJob";
  readonly job: Job;
  readonly input: unknown;
  readonly expected: number | null;
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

/** A job that is RUNNING is asked to stop. Nothing happens to one that has ended. */
export interface RequestCancelChange extends Repeatable {
  readonly kind: "requestCancel";
  readonly jobId: string;
}

/** Ends a RUNNING job and writes its LIFECYCLE_JOB_COMPLETED event (errorCode and error where it did not succeed). */
export interface FinishJobChange extends Stamped {
  readonly kind: "finishJob";
  readonly jobId: string;
  readonly status: Exclude<JobStatus, "RUNNING">;
  readonly errorCode: ErrorCode | null;
  readonly error: string | null;
  readonly durationSeconds: number;
}

/** Removes the item rows and findings, at most `limit` at once, of all but the newest `keep` jobs. Result: how many rows. */
export interface PruneJobItemsChange {
  readonly kind: "pruneJobItems";
  readonly keep: number;
  readonly limit: number;
}

/** Removes answers given before an instant (ms since the epoch), the oldest first, at most `limit` at once. Result: how many. */
export interface ForgetAnswersChange {
  readonly kind: "forgetAnswers";
  readonly before: number;
  readonly limit: number;
}

/** Keeps a new API key, and an API_KEY_CREATED event. Result: the key, which under an idempotency key is the first one. */
export interface CreateApiKeyChange extends Repeatable {
  readonly kind: "createApiKey";
  readonly apiKey: ApiKey;
  /** SHA-256, hex, of its secret. */
  readonly digest: string;
}

/** From now on the key is no key; an API_KEY_REVOKED event says who revoked it. Nothing happens where it is that already. Refusal: NOT_FOUND. */
export interface RevokeApiKeyChange extends Stamped, Repeatable {
  readonly kind: "revokeApiKey";
  readonly keyId: string;
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

export type Change =
  | StageChange
  | AbandonChange
  | AbandonStrangersChange
  | WriteChange
  | MoveChange
  | PurgeChange
  | LifecycleStepChange
  | LifecycleItemFailedChange
  | RestoreItemChange
  | ReserveChange
  | AdoptChange
  | PresentChange
  | ConfirmReindexChange
  | SettledChange
  | PublishedChange
  | CollectedChange
  | DamageChange
  | HealChange
  | TellChange
  | RepublishChange
  | ScrubbedChange
  | StartJobChange
  | AdvanceJobChange
  | RequestCancelChange
  | FinishJobChange
  | PruneJobItemsChange
  | ForgetAnswersChange
  | CreateApiKeyChange
  | RevokeApiKeyChange
  | EventChange
  | ExportedChange;

export interface WriteResult {
  readonly artifact: ArtifactRow;
  readonly created: boolean;
}

/** Dry: the row as it is. */
export interface MoveResult {
  readonly artifact: ArtifactRow;
  readonly fromTier: Tier;
  readonly toTier: Tier;
}

export interface PurgeResult {
  readonly fromTier: Tier;
  readonly sizeBytes: number;
}

export interface StartJobResult {
  readonly jobId: string;
  /** False: that job was under way already. */
  readonly started: boolean;
}

interface ResultByKind {
  stage: null;
  abandon: null;
  abandonStrangers: number;
  write: WriteResult;
  move: MoveResult;
  purge: PurgeResult;
  lifecycleStep: LifecycleItemRow;
  lifecycleItemFailed: null;
  restoreItem: "restored" | "skipped" | "failed" | "repeated";
  reserve: boolean;
  adopt: "adopted" | "present" | "passed" | "repeated";
  present: null;
  confirmReindex: null;
  settled: null;
  published: null;
  collected: null;
  damage: null;
  heal: boolean;
  tell: number;
  republish: null;
  scrubbed: null;
  startJob: StartJobResult;
  advanceJob: null;
  requestCancel: null;
  finishJob: null;
  pruneJobItems: number;
  forgetAnswers: number;
  createApiKey: ApiKey;
  revokeApiKey: null;
  event: null;
  exported: null;
}

export type ResultOf<C extends Change> = ResultByKind[C["kind"]];

/** What became of one change of a group: its result, or why it was refused (then nothing of it happened). */
export type Outcome<R = ResultByKind[Change["kind"]]> =
  | { readonly ok: true; readonly result: R }
  | { readonly ok: false; readonly refusal: RefusalRecord };
