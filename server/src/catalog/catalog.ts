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
import type { PlanStep } from "./plan-blocks.ts";
import type {
  ApiKeyRow,
  ArtifactRow,
  DirtyKey,
  ExportState,
  GarbageObject,
  JobRow,
  MisplacedKey,
  Overdue,
  PlanBlockRow,
  ScrubState,
  StoreFindingRow,
  StoreIds,
  UnsettledObject,
} from "./rows.ts";

/**
 * The limits of a page of an ordered list: at most `limit` rows strictly between two positions, from the
 * start or the end.
 */
export interface PageWindow<Position> {
  /** Exclusive; null: the list's start. */
  readonly after: Position | null;
  /** Exclusive; null: the list's end. */
  readonly before: Position | null;
  readonly limit: number;
  /** True: the last `limit` rows between the positions. Rows are in list order in both cases. */
  readonly backward: boolean;
}

/**
 * The position of an artifact in a list: its key (KEY order), or the value of the order's field (ms or bytes;
 * AGE: ageSince) and its row.
 */
export type ArtifactPosition =
  | { readonly key: ArtifactKey }
  | { readonly value: number; readonly row: number };

/** The terms of a read that may scan many rows. Indexed reads need none. */
export interface ScanTerms extends Partial<ReadTerms> {
  /** On whose behalf the read runs: owners take turns. Default: the server itself. */
  readonly owner?: string | undefined;
}

/** Narrows a read to some tenants. */
export interface TenantScope {
  /** Only rows of these tenants, each named once; empty: none. Default: rows of all tenants and of none. */
  readonly tenants?: readonly string[] | undefined;
}

export interface EventSelection extends LifecycleEventFilter, TenantScope {}

/** With `tenants`: only jobs whose artifacts all belong to these. */
export interface JobSelection extends JobFilter, TenantScope {}

/** The position of a job in the list of jobs. */
export interface JobStart {
  /** ms since the epoch. */
  readonly startedAt: number;
  readonly id: string;
}

/** The filter with `olderThanDays` and `asOf` converted into an exclusive bound on the age base. */
export interface ArtifactSelection extends Omit<ArtifactFilter, "olderThanDays" | "asOf">, TenantScope {
  /** Only artifacts whose ageSince is strictly before this, ms since the epoch. */
  readonly ageSinceBefore?: number | undefined;
}

/** An entry of a folder: an artifact, or a folder's prefix, which ends in "/". */
export type FolderRow = { readonly artifact: ArtifactRow } | { readonly folder: string };

/**
 * Where a search for due artifacts continues: strictly after this age base, then this row. Callers only store
 * it.
 */
export interface DuePosition {
  readonly ageSince: number;
  readonly row: number;
}

/** A range of keys, in a direction. */
export type PlanBlockRange = Pick<PageWindow<ArtifactKey>, "after" | "before" | "backward">;

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
 * Reads. Each call sees one snapshot, which includes every commit that was acknowledged before the call. No
 * read blocks the writer, and none except `miscounts` keeps a snapshot for more than a second. Missing rows
 * are null, never an error. Every read throws Refused UNAVAILABLE once the catalog is closed.
 *
 * Indexed reads cost the same however much is stored:
 * - lookups by key
 * - pages in KEY order of all artifacts, a tenant, a workflow or (with a prefix) part of a workflow
 * - pages of a folder, whatever is in its inner folders
 * - pages in AGE order of all artifacts or of a tenant, with or without tiers
 * - counts of all artifacts, a tenant or a workflow, by tier
 * - due artifacts
 * - events by position, of a tenant or of a job
 * - jobs of all tenants or of one, by kind
 *
 * Every other order, filter and count scans the narrowest of those. Scans run off the event loop, step by
 * step, in turn with those of other owners; a long scan may see a newer snapshot after a step. The scan's
 * terms can stop it: @throws Refused QUERY_TOO_COMPLEX, UNAVAILABLE
 *
 * `tenants` narrows a read to the merged results of one read per tenant, and costs as much as those reads.
 * The exception is following the events of several tenants, which also reads past the events of others.
 */
export interface CatalogReads {
  artifact(key: ArtifactKey): Promise<ArtifactRow | null>;
  /** In the order of `keys`. */
  artifacts(keys: readonly ArtifactKey[]): Promise<readonly (ArtifactRow | null)[]>;
  /** The row, and its bytes while they are inline. */
  content(key: ArtifactKey): Promise<{ readonly row: ArtifactRow; readonly bytes: Uint8Array | null } | null>;
  /**
   * KEY order compares names by their UTF-8 bytes. Other orders compare the field's value, then the row. AGE
   * ASC lists the youngest first: ageSince descending.
   */
  listArtifacts(
    selection: ArtifactSelection,
    order: ArtifactOrder,
    window: PageWindow<ArtifactPosition>,
    terms?: ScanTerms,
  ): Promise<readonly ArtifactRow[]>;
  countArtifacts(selection: ArtifactSelection, terms?: ScanTerms): Promise<number>;
  /**
   * The folders and artifacts one level below a prefix, which is empty or ends in "/", in the order of their UTF-8 bytes.
   * A folder compares with its slash. `after` is an artifact's id or a folder's prefix.
   */
  listFolder(
    workflow: WorkflowName,
    prefix: string,
    window: Pick<PageWindow<string>, "after" | "limit">,
  ): Promise<readonly FolderRow[]>;

  tenantsExist(tenantIds: readonly string[]): Promise<readonly boolean[]>;
  workflowsExist(workflows: readonly WorkflowName[]): Promise<readonly boolean[]>;
  /** Names in order. `tier`: only tenants with artifacts in it. */
  listTenants(tier: Tier | null, window: PageWindow<string>, among?: TenantScope): Promise<readonly string[]>;
  countTenants(tier: Tier | null, among?: TenantScope): Promise<number>;
  listWorkflows(tenantId: string, window: PageWindow<string>): Promise<readonly string[]>;
  countWorkflows(tenantId: string): Promise<number>;
  held(): Promise<UsageByTier>;
  usageByTenants(tenantIds: readonly string[]): Promise<readonly UsageByTier[]>;
  usageByWorkflows(workflows: readonly WorkflowName[]): Promise<readonly UsageByTier[]>;

  /** In order of seq (ASC) or its reverse (DESC); the positions of the window are seqs. */
  listEvents(
    filter: EventSelection,
    direction: "ASC" | "DESC",
    window: PageWindow<number>,
    terms?: ScanTerms,
  ): Promise<readonly LifecycleEvent[]>;
  countEvents(filter: EventSelection, terms?: ScanTerms): Promise<number>;
  /**
   * The matching events after `seq`, at most `limit`. `scannedTo` is the seq to continue after, also when no
   * event matched. A call reads a bounded number of events, so a rare match does not block other reads.
   */
  eventsAfter(
    filter: EventSelection,
    seq: number,
    limit: number,
  ): Promise<{ readonly events: readonly LifecycleEvent[]; readonly scannedTo: number }>;
  events(seqs: readonly number[]): Promise<readonly (LifecycleEvent | null)[]>;
  /** The newest event's seq; 0: the log is empty. */
  lastSeq(among?: TenantScope): Promise<number>;

  /** Artifacts in `tier` (of one tenant) whose ageSince is strictly before `before`, oldest first. */
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
  /** A block of the sealed plan of a job. */
  planBlock(jobId: string, n: number): Promise<PlanBlockRow | null>;
  /**
   * The first block (`backward`: the last) of this step, of the sealed plan of a job, that has items strictly between
   * two keys.
   */
  nextPlanBlock(jobId: string, step: PlanStep, between: PlanBlockRange): Promise<PlanBlockRow | null>;
  /** The number of items of the sealed plan of a job, and of those that were processed. */
  countPlanItems(jobId: string): Promise<{ readonly planned: number; readonly processed: number }>;
  /**
   * The findings of a reindex or a verification in the order in which they were found; positions are their
   * numbers.
   */
  listFindings(jobId: string, window: PageWindow<number>): Promise<readonly StoreFindingRow[]>;
  countFindings(jobId: string): Promise<number>;
  /**
   * The oldest live reindex that adopted artifacts and is not confirmed; null: none, and purging is allowed.
   */
  unconfirmedReindex(): Promise<string | null>;

  /** The inline content of one store: oldest first, at most `limit` and about 8 MiB of bytes. */
  unsettled(store: string, limit: number): Promise<readonly UnsettledObject[]>;
  /** Number of artifacts with inline content, and their bytes. */
  unsettledTotal(): Promise<{ readonly count: number; readonly bytes: number }>;
  /**
   * Oldest first; only keys whose row is settled or deleted. Keys with a row or garbage in other stores than `stores`
   * are left out.
   */
  dirtyKeys(stores: readonly string[], limit: number): Promise<readonly DirtyKey[]>;
  dirtyCount(): Promise<number>;
  /** For each key, in the order of `keys`, whether its published view may be out of date. */
  areDirty(keys: readonly ArtifactKey[]): Promise<readonly boolean[]>;
  /**
   * Keys that are marked as misplaced and whose content is settled and not damaged, oldest mark first: those whose tier
   * has this store, and those of deleted artifacts. Keys whose object is in another store than `stores` are left out.
   */
  misplacedKeys(
    store: string,
    storeIds: StoreIds,
    stores: readonly string[],
    limit: number,
  ): Promise<readonly MisplacedKey[]>;
  /** Number of keys that are marked as misplaced. */
  misplacedCount(): Promise<number>;
  /** Objects of one store that became garbage at `since` or earlier, oldest first; only those whose key is published. */
  garbage(store: string, since: number, limit: number): Promise<readonly GarbageObject[]>;
  /**
   * Those of `objects` that are in no row, not garbage and not staged. Reads every row whatever the number of
   * objects, so pass many per call.
   */
  strays(store: string, objects: readonly string[]): Promise<readonly string[]>;
  /**
   * Work that was due before this instant, ms since the epoch. Garbage is due after the grace of its store: `graceMs`,
   * by the store's id; 0 for all others. Reads all work that is left.
   */
  overdue(before: number, graceMs: Readonly<Record<string, number>>): Promise<Overdue>;
  exportState(): Promise<ExportState | null>;

  scrubState(): Promise<ScrubState>;
  /** Artifacts in order of their row numbers, after `row`; 0: from the first. */
  artifactsAfter(row: number, limit: number): Promise<readonly ArtifactRow[]>;
  /** The same for artifacts that are marked as damaged. */
  damagedAfter(row: number, limit: number): Promise<readonly ArtifactRow[]>;
  damagedCount(): Promise<number>;
  /**
   * Owners whose counters differ from a full count: workflows first, then tenants, then the total; at most
   * `limit`. The count reads one snapshot, since changes continue while it runs, and is separate from other
   * reads, so none waits for it. It reads every row (half a second of one core for a million) and keeps a few
   * numbers per tenant and workflow in memory. While it counts, a write-ahead log cannot restart and grows.
   */
  miscounts(limit: number): Promise<readonly Miscount[]>;

  apiKey(keyId: string): Promise<ApiKeyRow | null>;
  /** Newest first; positions are their row numbers. */
  listApiKeys(window: PageWindow<number>): Promise<readonly ApiKeyRow[]>;
  countApiKeys(): Promise<number>;

  /** The store's settings as JSON text; null: none are stored yet. */
  settings(): Promise<string | null>;

  /** Whether a valid answer to this actor's change with this key is stored at `at`. */
  hasAnswer(once: Pick<IdempotencyKey, "actor" | "key" | "at">): Promise<boolean>;
  /** When the oldest stored answer was given, ms since the epoch; null: none is stored. */
  oldestAnswer(): Promise<number | null>;
}

/**
 * The rows of artifacts, jobs and keys, and the event log. A commit of the catalog is the only commit point.
 */
export interface Catalog extends CatalogReads {
  /**
   * Random name of this log, 16 hex digits. It changes when the log's history is no longer the one that
   * cursors refer to.
   */
  readonly epoch: string;
  /**
   * Applies changes, each completely or not at all, in this order, grouped with those of other callers.
   * Resolves when the group is durable; no result is returned before. The changes of an array may be split
   * over several groups, in order. The outcome of a change with `once` is stored in the same commit, refusals
   * included unless they are retryable.
   *
   * @throws Refused (from `commit`) as documented for the change; STORAGE_FULL or UNAVAILABLE when the
   * catalog cannot write. Its outcome is "unknown" when the catalog cannot find out whether a commit
   * happened: then it rejects all changes until it can write again.
   */
  commit<C extends Change>(change: C): Promise<ResultOf<C>>;
  commitAll<C extends Change>(changes: readonly C[]): Promise<readonly CommitOutcome<C>[]>;
  /**
   * Calls the listener with the newest seq after each group that wrote events. Returns a function that
   * removes it.
   */
  onCommitted(listener: (seq: number) => void): () => void;
  /** Finishes the submitted changes, then closes threads and files. */
  close(): Promise<void>;
}

export type CommitOutcome<C extends Change> =
  | { readonly ok: true; readonly result: ResultOf<C> }
  | { readonly ok: false; readonly refused: Error };
