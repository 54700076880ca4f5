import type { LifecycleEvent } from "@tierkeep/schema/domain/events";
import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import { type ArtifactKey, keyText } from "@tierkeep/schema/domain/keys";
import type { RefusalRecord } from "@tierkeep/schema/domain/refusals";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { IdempotencyKey } from "./idempotency.ts";
import type { JobCounts } from "./job-changes.ts";
import type { CounterOwner, UsageCorrection } from "./miscounts.ts";
import type { PlanBlock } from "./plan-blocks.ts";
import type {
  ApiKeyRow,
  ArtifactRow,
  ExportState,
  ItemOutcome,
  JobRow,
  ObjectId,
  ScrubState,
} from "./rows.ts";

/** A tenant (workflowId "") or a workflow. No part of a key is ever null, in any driver. */
export interface ScopeKey {
  readonly tenantId: string;
  readonly workflowId: string;
}

/** A row without its metadata. */
export type ArtifactFacts = Omit<ArtifactRow, "metadata">;

/** Small content, until it is settled into its object. */
export interface InlineContent {
  readonly sizeBytes: number;
  readonly bytes: Uint8Array;
}

/** An object that is being written and that no row names yet. */
export interface StagedObject {
  readonly store: string;
  readonly owner: string;
  /** When it was staged, ms since the epoch. */
  readonly at: number;
  /** It existed before it was staged, so it is never garbage. */
  readonly found: boolean;
}

/** An object that no row names any more. */
export interface GarbageRecord {
  readonly store: string;
  /** The instant of the commit that made it garbage, ms since the epoch. */
  readonly since: number;
  /** The artifact of which it was an earlier version; null: no row ever named it. */
  readonly artifact: ArtifactKey | null;
}

/** The view of a key may differ from its row since this version of the key. */
export interface Unpublished {
  readonly version: number;
}

/** The object of a key may not be in the store of its tier. */
export interface Misplaced {
  /** The instant of the commit that moved the artifact, ms since the epoch. */
  readonly since: number;
}

/** Purging is disabled while there are live reindexes that adopted artifacts and are not confirmed. */
export interface PurgeGate {
  /** Oldest first. */
  readonly jobIds: readonly string[];
}

/** A job without its input and its counters. The counters in `job` mean nothing. */
export type JobRecord = Omit<JobRow, "input" | "treated">;

/** Live jobs of one key run one at a time. */
export type LiveJobKey = "lifecycle" | "reindex" | `verify/${string}`;

/** A block of the plan of a job: 1, 2, … */
export interface BlockKey {
  readonly jobId: string;
  readonly n: number;
}

/** How far a block has been run. */
export interface Block {
  /** The outcomes of the first items of the block. */
  readonly outcomes: readonly ItemOutcome[];
}

/** An event without its seq, which the driver assigns. */
export type EventDraft = Omit<LifecycleEvent, "seq">;

/** The outcome of a change: its result, or its refusal, in which case nothing of it was applied. */
export type Outcome =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly refusal: RefusalRecord };

export type AnswerKey = Pick<IdempotencyKey, "actor" | "key">;

/** The outcome of the first change with an idempotency key, and when it was made. */
export interface StoredAnswer {
  readonly fingerprint: string;
  readonly at: number;
  readonly outcome: Outcome;
}

/**
 * The kinds of records, their keys and their values. `artifact` and `facts` are one record: a put of `facts`
 * leaves the metadata as it is.
 */
export interface Records {
  artifact: { key: ArtifactKey; value: ArtifactRow };
  facts: { key: ArtifactKey; value: ArtifactFacts };
  /** Present from the first artifact on, also after the last one is purged. */
  scope: { key: ScopeKey; value: true };
  inline: { key: ObjectId; value: InlineContent };
  staged: { key: ObjectId; value: StagedObject };
  garbage: { key: ObjectId; value: GarbageRecord };
  unpublished: { key: ArtifactKey; value: Unpublished };
  misplaced: { key: ArtifactKey; value: Misplaced };
  gate: { key: "purge"; value: PurgeGate };
  answer: { key: AnswerKey; value: StoredAnswer };
  job: { key: string; value: JobRecord };
  /** A job's input, which may be long; put once, with the job. */
  jobInput: { key: string; value: unknown };
  /** A job's current counters by their names in the API. */
  jobCounts: { key: string; value: Readonly<Record<string, number>> };
  liveJob: { key: LiveJobKey; value: { readonly jobId: string; readonly input: unknown } };
  planBlock: { key: BlockKey; value: PlanBlock };
  block: { key: BlockKey; value: Block };
  /** The pass of the scrubber in which a finding was last reported, by the finding's mark. */
  reported: { key: string; value: { readonly pass: number } };
  apiKey: { key: string; value: Omit<ApiKeyRow, "row"> };
  // Kinds with a single record, whose key is "".
  scrub: { key: ""; value: ScrubState };
  exporter: { key: ""; value: ExportState };
  /** The store's settings as JSON text. */
  settings: { key: ""; value: string };
}

export type RecordKind = keyof Records;

/** The kind and the key of a record that a change reads. */
export type Ref = { [K in RecordKind]: readonly [K, Records[K]["key"]] }[RecordKind];

type RecordEffect = {
  [K in RecordKind]:
    | { readonly put: K; readonly key: Records[K]["key"]; readonly value: Records[K]["value"] }
    | { readonly delete: K; readonly key: Records[K]["key"] };
}[RecordKind];

/** What a change does to the catalog. */
export type Effect =
  | RecordEffect
  /** An artifact enters (1) or leaves (-1) a tier of this workflow, its tenant and the total. */
  | {
      readonly add: "usage";
      readonly key: ScopeKey;
      readonly tier: Tier;
      readonly count: 1 | -1;
      readonly sizeBytes: number;
    }
  | { readonly add: "jobCounts"; readonly key: string; readonly by: JobCounts }
  /** What is missing in the counters of this owner alone. */
  | { readonly add: "correction"; readonly key: CounterOwner; readonly by: readonly UsageCorrection[] }
  /** The driver numbers events in the order in which they are appended. */
  | { readonly append: "event"; readonly value: EventDraft }
  /** A finding of this job. A finding that is a problem also counts as an error of the job. */
  | { readonly append: "finding"; readonly key: string; readonly value: StoreFinding };

/** Returns the kind under which a record is known: `facts` is part of `artifact`. */
export function recordOf(kind: RecordKind): Exclude<RecordKind, "facts"> {
  return kind === "facts" ? "artifact" : kind;
}

/** Returns a text that is equal for two refs exactly when they name the same record. */
export function refText(refKind: RecordKind, key: Records[RecordKind]["key"]): string {
  const kind = recordOf(refKind);
  if (typeof key === "string") return `${kind}:${key}`;
  if ("actor" in key) return `${kind}:${JSON.stringify([key.actor, key.key])}`;
  if ("n" in key) return `${kind}:${key.jobId} ${key.n}`;
  if ("artifactId" in key) return `${kind}:${keyText(key)}`;
  return `${kind}:${key.tenantId}/${key.workflowId}`;
}
