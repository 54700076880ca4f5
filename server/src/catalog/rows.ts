import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { JobStatus } from "@tierkeep/schema/domain/jobs";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { ErrorCode } from "@tierkeep/schema/domain/refusals";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Artifact } from "@tierkeep/schema/services/artifacts";
import type { Job } from "@tierkeep/schema/services/jobs";
import type { ApiKey } from "@tierkeep/schema/services/keys";
import type { PlanBlock } from "./plan-blocks.ts";

/** Name of an object: 32 lower-case hexadecimal digits, random, never reused. */
export type ObjectId = string;

/** An artifact's row: the fields that clients see, and the location of its bytes. */
export interface ArtifactRow extends Artifact {
  /** The catalog's number of this row, constant as long as the artifact exists. Clients never see it. */
  readonly row: number;
  /** The object that holds the bytes, or will hold them once they are settled. */
  readonly object: ObjectId;
  /** Id of the tier store that holds the object. */
  readonly store: string;
  /** True while the content is inline. */
  readonly inline: boolean;
}

/** Inline content of an artifact that is not settled yet. */
export interface UnsettledObject {
  readonly key: ArtifactKey;
  readonly object: ObjectId;
  readonly store: string;
  readonly bytes: Uint8Array;
  /** The row's modifiedAt: an object's mtime is the instant at which its content was written. */
  readonly modifiedAt: number;
}

/** An object that no row names any more. */
export interface GarbageObject {
  readonly object: ObjectId;
  readonly store: string;
  /** The instant of the commit that made it garbage, ms since the epoch. */
  readonly since: number;
}

/** Id of the store of each tier. */
export type StoreIds = Readonly<Record<Tier, string>>;

/** A key that is marked as misplaced. */
export interface MisplacedKey {
  readonly key: ArtifactKey;
  /** The current row; null: the artifact is deleted. */
  readonly row: ArtifactRow | null;
}

/**
 * A key whose published view may differ from its row, with everything that publishing it needs, read in one
 * snapshot.
 */
export interface DirtyKey {
  readonly key: ArtifactKey;
  /**
   * Version of the change that made the key dirty last. Publishing clears the mark only while this is still
   * the version.
   */
  readonly version: number;
  /** The current row; null: the artifact is deleted. */
  readonly row: ArtifactRow | null;
  /**
   * Objects of earlier versions of this key that are not collected yet: a link in the view to one of these is
   * ours.
   */
  readonly garbage: readonly { readonly object: ObjectId; readonly store: string }[];
}

/** Work after commits that was due before an instant and is not done. */
export interface Overdue {
  /** Artifacts whose content has been inline since before the instant. */
  readonly unsettled: number;
  /** Unpublished keys whose artifacts last changed before it. */
  readonly unpublished: number;
  /** Garbage whose grace ended before it. */
  readonly uncollected: number;
  /** Objects that were staged before it. */
  readonly staged: number;
}

/** A job runner's position as JSON; opaque to the catalog. */
export type JobPosition = { readonly [name: string]: unknown } | null;

/** How a job ends. */
export interface JobEnding {
  readonly status: Exclude<JobStatus, "RUNNING">;
  readonly errorCode: ErrorCode | null;
  readonly error: string | null;
}

/** A job as stored: the fields that clients see, and those that a runner needs to continue after a crash. */
export interface JobRow {
  readonly job: Job;
  readonly actor: string;
  readonly cancelRequested: boolean;
  /** The job's input as JSON, e.g. the keys or the filter of a restore job. */
  readonly input: unknown;
  readonly position: JobPosition;
  /** Number of artifacts that the job expects to process, for its progress; null: not counted. */
  readonly expected: number | null;
  /** Artifacts processed so far, whatever the outcome. */
  readonly treated: number;
  /** Seconds of work so far. */
  readonly workSeconds: number;
  /** Number of blocks of its plan, from 1; null: the job has no plan, or it is not sealed. */
  readonly blocks: number | null;
  /** How the job will end once its work is done; null: it succeeds. */
  readonly ending: JobEnding | null;
}

/** Why an item was not processed. */
export interface ItemFailure {
  readonly errorCode: ErrorCode;
  readonly error: string;
}

/**
 * What became of an item of a plan: the version that it got (a purged artifact: the number of its event), or why it
 * got none.
 */
export type ItemOutcome =
  | number
  | {
      readonly outcome: "SKIPPED" | "FAILED";
      readonly errorCode: ErrorCode | null;
      readonly error: string | null;
    };

/** A block of a plan, with the outcomes of the items that were processed so far. */
export interface PlanBlockRow {
  readonly n: number;
  readonly block: PlanBlock;
  readonly outcomes: readonly ItemOutcome[];
}

export interface StoreFindingRow extends StoreFinding {
  /** From 1, in the order in which the job found it. */
  readonly number: number;
}

/** The scrubber's position. */
export interface ScrubState {
  /** Number of the current pass through the store, from 1. */
  readonly pass: number;
  /** Opaque to the catalog; null: the pass has not started. */
  readonly position: JobPosition;
}

/** The last write of the audit exporter. */
export interface ExportState {
  /** File name within the log directory. */
  readonly file: string;
  /** Bytes of the file that the exporter has written and that are durable. */
  readonly offset: number;
  /** Last event in the file; 0: none. */
  readonly seq: number;
  /**
   * SHA-256 of the last line before offset, hex. It identifies the file, and the next line refers to it as
   * its predecessor.
   */
  readonly head: string;
}

export interface ApiKeyRow {
  /** The catalog's number of the key; rises with every new key. */
  readonly row: number;
  /** SHA-256 of the secret, hex. */
  readonly digest: string;
  readonly apiKey: ApiKey;
}
