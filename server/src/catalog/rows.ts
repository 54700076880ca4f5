import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { LifecycleItemOutcome } from "@tierkeep/schema/domain/jobs";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { LifecycleStep } from "@tierkeep/schema/domain/policy";
import type { ErrorCode } from "@tierkeep/schema/domain/refusals";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Artifact } from "@tierkeep/schema/services/artifacts";
import type { Job } from "@tierkeep/schema/services/jobs";
import type { ApiKey } from "@tierkeep/schema/services/keys";

/** Name of an object: 32 lower-case hexadecimal digits, random, never used twice. */
export type ObjectId = string;

/** An artifact's row: what clients see of it, and where its bytes are. */
export interface ArtifactRow extends Artifact {
  /** The catalog's own number of this row: the same as long as the artifact exists. Never shown to clients. */
  readonly row: number;
  /** The object that holds, or once settled will hold, the bytes. */
  readonly object: ObjectId;
  /** Id of the tier store in which the object lives. */
  readonly store: string;
  /** True while the bytes still ride in the catalog. */
  readonly inline: boolean;
}

/** An artifact's bytes that ride in the catalog until they are settled. */
export interface UnsettledObject {
  readonly key: ArtifactKey;
  readonly object: ObjectId;
  readonly store: string;
  readonly bytes: Uint8Array;
  /** The row's modifiedAt: an object's mtime is the instant its content was written. */
  readonly modifiedAt: number;
}

/** An object that no row names any more. */
export interface GarbageObject {
  readonly object: ObjectId;
  readonly store: string;
  /** ms since the epoch: not to be removed before. */
  readonly notBefore: number;
}

/** A key whose published view may differ from its row, with what the publisher needs to mend it, read in one snapshot. */
export interface DirtyKey {
  readonly key: ArtifactKey;
  /** Version of the change that made it dirty last; the mark is cleared only where this still stands. */
  readonly version: number;
  /** The row as it is now; null: the artifact is gone. */
  readonly row: ArtifactRow | null;
  /** Objects of earlier versions of this key that are not collected yet: a view link to one of these is ours. */
  readonly garbage: readonly { readonly object: ObjectId; readonly store: string }[];
}

/** How much of what follows changes was to be done by an instant, and is not. */
export interface Overdue {
  /** Artifacts whose bytes ride in the catalog since before. */
  readonly unsettled: number;
  /** Keys that are dirty, and whose artifacts were changed last before. */
  readonly unpublished: number;
  /** Objects that were to go before. */
  readonly uncollected: number;
  /** Objects that were staged before. */
  readonly staged: number;
}

/** Where a runner stands; opaque to the catalog, JSON. */
export type JobPosition = { readonly [name: string]: unknown } | null;

/** A job as stored: what clients see, and what a runner needs to go on after a crash. */
export interface JobRow {
  readonly job: Job;
  readonly actor: string;
  readonly cancelRequested: boolean;
  /** What it was asked to do, as JSON (e.g. a restore job's keys or filter). */
  readonly input: unknown;
  readonly position: JobPosition;
  /** How many artifacts it expected to treat, for progress; null: not counted. */
  readonly expected: number | null;
  /** Artifacts treated so far, whatever the outcome. */
  readonly treated: number;
}

export interface LifecycleItemRow extends ArtifactKey {
  readonly step: LifecycleStep;
  readonly fromTier: Tier;
  readonly toTier: Tier | null;
  readonly ageDays: number;
  readonly sizeBytes: number;
  readonly outcome: LifecycleItemOutcome;
  readonly errorCode: ErrorCode | null;
  readonly error: string | null;
}

export interface StoreFindingRow extends StoreFinding {
  /** From 1, in the order in which the job found it. */
  readonly number: number;
}

/** How far the scrubber is. */
export interface ScrubState {
  /** The time that it goes through everything; from 1. */
  readonly pass: number;
  /** Opaque to the catalog; null: it has not begun. */
  readonly position: JobPosition;
}

/** What the audit exporter wrote last. */
export interface ExportState {
  /** File name within the log directory. */
  readonly file: string;
  /** Bytes of it that are ours and on disk. */
  readonly offset: number;
  /** Last event in it; 0: none. */
  readonly seq: number;
  /** SHA-256, hex, of the last line before offset: recognises the file, and is what the next line names as the one before. */
  readonly head: string;
}

export interface ApiKeyRow {
  /** The catalog's own number: rises with every key that is made. */
  readonly row: number;
  /** SHA-256, hex, of the secret. */
  readonly digest: string;
  readonly apiKey: ApiKey;
}
