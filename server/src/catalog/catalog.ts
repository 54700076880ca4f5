import type { LifecycleEvent } from "@tierkeep/schema/domain/events";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { ArtifactFilter, ArtifactOrder } from "@tierkeep/schema/services/artifacts";
import type { LifecycleEventFilter } from "@tierkeep/schema/services/events";
import type { Job, JobFilter, LifecycleJob } from "@tierkeep/schema/services/jobs";
import type { ReadTerms } from "@tierkeep/schema/services/read-terms";
import type { WorkflowName } from "@tierkeep/schema/services/tenants";
import type { Change, ResultOf } from "./changes.ts";
import type { IdempotencyKey } from "./idempotency.ts";
import type { Miscount } from "./miscounts.ts";
import type {
  ApiKeyRow,
  ArtifactRow,
  DirtyKey,
  ExportState,
  GarbageObject,
  JobRow,
  LifecycleItemRow,
  Overdue,
  ScrubState,
  StoreFindingRow,
  UnsettledObject,
} from "./rows.ts";

/** A stretch of an ordered list: at most `limit` rows strictly between two positions, taken from its start or its end. */
export interface PageWindow<Position> {
  /** Exclusive; null: from the list's start. */
  readonly after: Position | null;
  /** Exclusive; null: to the list's end. */
  readonly before: Position | null;
  readonly limit: number;
  /** True: the last `limit` rows of the stretch. Rows come back in list order either way. */
  readonly backward: boolean;
}

/** Where an artifact stands in a list: by its key (KEY order), or by the value of the order's field (ms or bytes; AGE: ageSince), then by row. */
export type ArtifactPosition =
  | { readonly key: ArtifactKey }
  | { readonly value: number; readonly row: number };

/** Under which terms a read may look at many rows. Reads that an index answers need none. */
export interface ScanTerms extends Partial<ReadTerms> {
  /** On whose behalf: owners take turns. Default: the server's own work. */
  readonly owner?: string | undefined;
}

/** Narrows a read to some tenants. */
export interface TenantScope {
  /** Only what belongs to one of these, each named once; none: nothing. Left out: to whichever, or to no tenant at all. */
  readonly tenants?: readonly string[] | undefined;
}

export interface EventSelection extends LifecycleEventFilter, TenantScope {}

/** With `tenants`: jobs whose artifacts all belong to these. */
export interface JobSelection extends JobFilter, TenantScope {}

/** Where a job stands in the list of jobs. */
export interface JobStart {
  /** ms since the epoch. */
  readonly startedAt: number;
  readonly id: string;
}

/** `olderThanDays` and `asOf` already turned into an exclusive bound on the age base. */
export interface ArtifactSelection extends Omit<ArtifactFilter, "olderThanDays" | "asOf">, TenantScope {
  /** Only where ageSince is strictly before this, ms since the epoch. */
  readonly ageSinceBefore?: number | undefined;
}

/** Where a search for due artifacts goes on: strictly after this age base, then this row. Opaque but for storing it. */
export interface DuePosition {
  readonly ageSince: number;
  readonly row: number;
}

export interface DueArtifact {
  readonly artifact: ArtifactRow;
  readonly position: DuePosition;
}

/** Artifacts and bytes in one tier of one tenant or workflow. */
export interface Usage {
  readonly artifactCount: number;
  readonly totalBytes: number;
}

export type UsageByTier = Readonly<Record<Tier, Usage>>;

/**
 * Reads. Each call sees one snapshot, taken after every commit that was acknowledged before the call; none takes the
 * writer's place or, but for `miscounts`, holds a snapshot for longer than a second. Absent things are null, never an
 * error. All throw Refused UNAVAILABLE once the catalog is closed.
 *
 * What is indexed, and so costs the same however much is stored: lookups by key; pages in KEY order of everything, a
 * tenant, a workflow or (with a prefix) part of a workflow; pages in AGE order of everything or of a tenant, with or
 * without tiers; counts of everything, a tenant or a workflow by tier; what is due; events by position, of a tenant or
 * of a job; jobs of all, or of one tenant, by kind. Every other order, filter and count is a scan within the narrowest of those, and runs off the event loop:
 * a step at a time, in turn with those of other owners, so that one which takes long sees a newer snapshot after a step.
 * Where its terms say so it stops: @throws Refused QUERY_TOO_COMPLEX, UNAVAILABLE
 *
 * `tenants` narrows any of them to what as many reads of one tenant each would find, merged: it costs what those cost.
 * Following the events of several looks at those of others on its way.
 */
export interface CatalogReads {
  artifact(key: ArtifactKey): Promise<ArtifactRow | null>;
  /** In the order of `keys`. */
  artifacts(keys: readonly ArtifactKey[]): Promise<readonly (ArtifactRow | null)[]>;
  /** The row and, while they ride in the catalog, its bytes. */
  content(key: ArtifactKey): Promise<{ readonly row: ArtifactRow; readonly bytes: Uint8Array | null } | null>;
  /** Names in KEY order compare by UTF-8 bytes. With another field: by that value, then by row. AGE ASC is youngest first: ageSince descending. */
  listArtifacts(
    selection: ArtifactSelection,
    order: ArtifactOrder,
    window: PageWindow<ArtifactPosition>,
    terms?: ScanTerms,
  ): Promise<readonly ArtifactRow[]>;
  countArtifacts(selection: ArtifactSelection, terms?: ScanTerms): Promise<number>;

  tenantsExist(tenantIds: readonly string[]): Promise<readonly boolean[]>;
  workflowsExist(workflows: readonly WorkflowName[]): Promise<readonly boolean[]>;
  /** Names in order. `tier`: only those with something in it. */
  listTenants(tier: Tier | null, window: PageWindow<string>, among?: TenantScope): Promise<readonly string[]>;
  countTenants(tier: Tier | null, among?: TenantScope): Promise<number>;
  listWorkflows(tenantId: string, window: PageWindow<string>): Promise<readonly string[]>;
  countWorkflows(tenantId: string): Promise<number>;
  held(): Promise<UsageByTier>;
  usageByTenants(tenantIds: readonly string[]): Promise<readonly UsageByTier[]>;
  usageByWorkflows(workflows: readonly WorkflowName[]): Promise<readonly UsageByTier[]>;

  /** In order of seq (ASC) or its reverse (DESC); a stretch's positions are seqs. */
  listEvents(
    filter: EventSelection,
    direction: "ASC" | "DESC",
    window: PageWindow<number>,
    terms?: ScanTerms,
  ): Promise<readonly LifecycleEvent[]>;
  countEvents(filter: EventSelection, terms?: ScanTerms): Promise<number>;
  /**
   * The matching events after `seq`, at most `limit`, and how far the search came: `scannedTo` is the seq after which to
   * go on, also when nothing matched. Looks at a bounded number of events per call, so a rare match stalls nobody.
   */
  eventsAfter(
    filter: EventSelection,
    seq: number,
    limit: number,
  ): Promise<{ readonly events: readonly LifecycleEvent[]; readonly scannedTo: number }>;
  events(seqs: readonly number[]): Promise<readonly (LifecycleEvent | null)[]>;
  /** The newest event's seq; 0: none yet. */
  lastSeq(among?: TenantScope): Promise<number>;

  /** Oldest age base first: artifacts in `tier` (of one tenant) whose ageSince is strictly before `before`. */
  due(
    tier: Tier,
    tenantId: string | null,
    before: number,
    after: DuePosition | null,
    limit: number,
  ): Promise<readonly DueArtifact[]>;
  countDue(tier: Tier, tenantId: string | null, before: number): Promise<number>;
  jobs(jobIds: readonly string[]): Promise<readonly (JobRow | null)[]>;
  /** Jobs that are RUNNING, oldest first. */
  runningJobs(): Promise<readonly JobRow[]>;
  /** Newest first. */
  listJobs(selection: JobSelection, window: PageWindow<JobStart>, terms?: ScanTerms): Promise<readonly Job[]>;
  countJobs(selection: JobSelection, terms?: ScanTerms): Promise<number>;
  lastFinishedLifecycleJob(dryRun: boolean | null, among?: TenantScope): Promise<LifecycleJob | null>;
  /** By key, then in the order of the steps. */
  listItems(jobId: string, window: PageWindow<ArtifactKey>): Promise<readonly LifecycleItemRow[]>;
  countItems(jobId: string): Promise<number>;
  /** What a reindex or a verification found, in the order in which it did; positions are their numbers. */
  listFindings(jobId: string, window: PageWindow<number>): Promise<readonly StoreFindingRow[]>;
  countFindings(jobId: string): Promise<number>;
  /** The oldest live reindex that has adopted something and that nobody has confirmed; null: none, and purging is allowed. */
  unconfirmedReindex(): Promise<string | null>;

  /** Oldest first, at most `limit` and about 8 MiB of bytes. */
  unsettled(limit: number): Promise<readonly UnsettledObject[]>;
  /** Bytes that ride in the catalog now, and how many artifacts they are. */
  unsettledTotal(): Promise<{ readonly count: number; readonly bytes: number }>;
  /** Oldest first; only keys whose row is settled or gone. */
  dirtyKeys(limit: number): Promise<readonly DirtyKey[]>;
  dirtyCount(): Promise<number>;
  /** For each key, in this order, whether its published view may be behind. */
  areDirty(keys: readonly ArtifactKey[]): Promise<readonly boolean[]>;
  /** Garbage that may go at `now`: its time has come and its key is not dirty. */
  garbage(now: number, limit: number): Promise<readonly GarbageObject[]>;
  /** Which of these objects nothing knows: in no row, not garbage, not staged. Looks at every row, however few are asked for: ask for many at once. */
  strays(store: string, objects: readonly string[]): Promise<readonly string[]>;
  /** What was to be done before this instant, ms since the epoch. Looks at all that is left to do. */
  overdue(before: number): Promise<Overdue>;
  exportState(): Promise<ExportState | null>;

  scrubState(): Promise<ScrubState>;
  /** In order of their rows' numbers, those after this one; 0: from the first. */
  artifactsAfter(row: number, limit: number): Promise<readonly ArtifactRow[]>;
  /** The same, of those that are marked as damaged. */
  damagedAfter(row: number, limit: number): Promise<readonly ArtifactRow[]>;
  damagedCount(): Promise<number>;
  /**
   * Whose counters are not what a full count of everything says: workflows first, then tenants, then the whole; at most
   * `limit`. All of it is counted in one snapshot, for changes go on meanwhile, and apart from other reads: nobody waits
   * for it. It looks at every row (half a second of one core for a million) and keeps a few numbers for each tenant and
   * workflow in memory; while it counts, a log that is written ahead cannot start over.
   */
  miscounts(limit: number): Promise<readonly Miscount[]>;

  apiKey(keyId: string): Promise<ApiKeyRow | null>;
  /** Newest first; positions are their row numbers. */
  listApiKeys(window: PageWindow<number>): Promise<readonly ApiKeyRow[]>;
  countApiKeys(): Promise<number>;

  /** The store's settings as JSON text; null: none are stored yet. */
  settings(): Promise<string | null>;

  /** Whether a change of this actor's with this key has an answer that counts at `at`. */
  hasAnswer(once: Pick<IdempotencyKey, "actor" | "key" | "at">): Promise<boolean>;
  /** When the oldest answer that is kept was given, ms since the epoch; null: none is. */
  oldestAnswer(): Promise<number | null>;
}

/** What exists, where, since when, and the log of what happened. The catalog's commit is the only commit point. */
export interface Catalog extends CatalogReads {
  /** Random name of this log, 16 hex digits; a new one when the log's past is not the one that cursors were made for. */
  readonly epoch: string;
  /**
   * Applies changes, each wholly or not at all, in this order, grouped with those of other callers. Resolves when the
   * group is durable; no result leaves before. An array's changes may fall into several groups, in order.
   * What a change with `once` was answered is kept in the same commit, refusals included unless they are retryable.
   * @throws Refused (from `commit`) as the change says; STORAGE_FULL or UNAVAILABLE when the catalog cannot write,
   * with outcome "unknown" when it can neither write nor find out: then it takes no change until it can write again.
   */
  commit<C extends Change>(change: C): Promise<ResultOf<C>>;
  commitAll<C extends Change>(changes: readonly C[]): Promise<readonly CommitOutcome<C>[]>;
  /** Calls back after each group that wrote events, with the newest seq. Returns how to stop. */
  onCommitted(listener: (seq: number) => void): () => void;
  /** Finishes what it was given, then lets go of everything. */
  close(): Promise<void>;
}

export type CommitOutcome<C extends Change> =
  | { readonly ok: true; readonly result: ResultOf<C> }
  | { readonly ok: false; readonly refused: Error };
