import type { StoreFinding } from "../domain/findings.ts";
import type { JobKind, JobStatus, LifecycleItemOutcome } from "../domain/jobs.ts";
import type { ArtifactKey } from "../domain/keys.ts";
import type { Page, PageRequest } from "../domain/pages.ts";
import type { LifecycleStep, RetentionPolicy } from "../domain/policy.ts";
import type { Principal } from "../domain/principal.ts";
import type { ErrorCode } from "../domain/refusals.ts";
import type { Tier } from "../domain/tiers.ts";
import type { ArtifactFilter, Repeatable } from "./artifacts.ts";

interface JobFacts {
  /** Random, without a prefix. */
  readonly id: string;
  readonly status: JobStatus;
  readonly dryRun: boolean;
  /** ms since the epoch. */
  readonly startedAt: number;
  readonly finishedAt: number | null;
  /** By a monotonic clock, greater than 0; null while running. */
  readonly durationSeconds: number | null;
  /** 0 to 1. */
  readonly progress: number;
  /** Number of artifacts that failed. A failure does not stop the job. */
  readonly totalErrors: number;
  /** Why the job is FAILED or BLOCKED; else null. */
  readonly error: string | null;
  /** Null: all tenants, or keys of several tenants. */
  readonly tenantId: string | null;
}

export interface LifecycleJob extends JobFacts {
  readonly kind: "lifecycle";
  readonly asOf: number;
  readonly steps: readonly LifecycleStep[];
  readonly promotedToWarm: number;
  readonly promotedToCold: number;
  readonly purged: number;
  /** The default retention policy in force at the start. */
  readonly retentionPolicy: RetentionPolicy;
}

export interface RestoreJob extends JobFacts {
  readonly kind: "restore";
  /**
   * Every tenant whose artifacts the job covers. Null if they were not recorded, so it may be any tenant.
   */
  readonly tenantIds: readonly string[] | null;
  readonly toTier: Tier;
  readonly restoredCount: number;
  /** Artifacts that were already in the tier. */
  readonly skippedCount: number;
}

export interface ReindexJob extends JobFacts {
  readonly kind: "reindex";
  readonly adoptedCount: number;
  /** Artifacts that the catalog already had. */
  readonly presentCount: number;
  readonly quarantinedCount: number;
  /** Paths left in place. */
  readonly leftCount: number;
  /** ms since the epoch; null if the reindex is not confirmed. */
  readonly confirmedAt: number | null;
}

export interface VerifyJob extends JobFacts {
  readonly kind: "verify";
  /** True if the job repairs what can be repaired. */
  readonly repair: boolean;
  readonly checkedCount: number;
  readonly checkedBytes: number;
  readonly damagedCount: number;
  readonly missingCount: number;
  readonly strayCount: number;
  /** Damaged or missing artifacts whose content was recovered. */
  readonly healedCount: number;
  readonly quarantinedCount: number;
  readonly adoptedCount: number;
}

export type Job = LifecycleJob | RestoreJob | ReindexJob | VerifyJob;

/** A checked filter: the identifier is valid, and no list is empty. */
export interface JobFilter {
  /** Only jobs of this one tenant. */
  readonly tenantId?: string | undefined;
  readonly kinds?: readonly JobKind[] | undefined;
  readonly statuses?: readonly JobStatus[] | undefined;
}

/** The step of a lifecycle job for one artifact. On a dry run: the step that a live run would do. */
export interface LifecycleItem extends ArtifactKey {
  readonly step: LifecycleStep;
  readonly fromTier: Tier;
  /** Null if the step purges the artifact. */
  readonly toTier: Tier | null;
  readonly ageDays: number;
  readonly sizeBytes: number;
  readonly outcome: LifecycleItemOutcome;
  readonly errorCode: ErrorCode | null;
  readonly error: string | null;
}

export interface RunLifecycleOptions extends Repeatable {
  readonly dryRun: boolean;
  readonly tenantId?: string | undefined;
  /** Default: all three. */
  readonly steps?: readonly LifecycleStep[] | undefined;
  /** ms since the epoch. For a live run only if the server allows it, else BAD_USER_INPUT. */
  readonly asOf?: number | undefined;
  /** 0 to 60. If the job is still RUNNING then, it is returned as it is. */
  readonly waitSeconds: number;
}

/** Options with exactly one of `keys` and `where`, and with `where.tenantId`. */
export interface RestoreArtifactsOptions extends Repeatable {
  readonly keys?: readonly ArtifactKey[] | undefined;
  readonly where?: ArtifactFilter | undefined;
  readonly toTier: Tier;
  readonly dryRun: boolean;
  readonly waitSeconds: number;
}

export interface ReindexOptions extends Repeatable {
  readonly dryRun: boolean;
  /** 0 to 60. If the job is still RUNNING then, it is returned as it is. */
  readonly waitSeconds: number;
}

export interface VerifyOptions extends Repeatable {
  /** Verify only this tenant's artifacts, without unknown objects and files. */
  readonly tenantId?: string | undefined;
  /**
   * Repair what can be repaired. Only for the complete store: with a tenant, BAD_USER_INPUT. Default: false.
   */
  readonly repair?: boolean | undefined;
  readonly waitSeconds: number;
}

/**
 * Starts and reads jobs. Every method throws Refused. A retry with the same idempotency key returns the job
 * of the first call in its current state.
 */
export interface JobService {
  /**
   * Runs the lifecycle, one live run at a time. While a run with the same input is in progress, returns that
   * job with `started` false. Other input: CONFLICT with jobId.
   */
  runLifecycle(
    principal: Principal,
    options: RunLifecycleOptions,
  ): Promise<{ readonly job: LifecycleJob; readonly started: boolean }>;
  restoreArtifacts(principal: Principal, options: RestoreArtifactsOptions): Promise<RestoreJob>;
  /** Cancels a job. Unknown id: NOT_FOUND. A finished job is returned unchanged. */
  cancel(principal: Principal, jobId: string, idempotencyKey?: string): Promise<Job>;
  /**
   * Returns jobs in the order of `jobIds`; null for a job that does not exist or that the caller may not see.
   */
  getMany(principal: Principal, jobIds: readonly string[]): Promise<readonly (Job | null)[]>;
  /** Returns matching jobs of every kind, newest first. */
  list(principal: Principal, filter: JobFilter, page: PageRequest): Promise<Page<Job>>;
  /** Returns lifecycle jobs, newest first. */
  listLifecycle(principal: Principal, page: PageRequest): Promise<Page<LifecycleJob>>;
  /** Returns the lifecycle job that finished last; null if none has. */
  last(principal: Principal, dryRun?: boolean): Promise<LifecycleJob | null>;
  /** Returns the items of a lifecycle job, in key order. */
  items(principal: Principal, jobId: string, page: PageRequest): Promise<Page<LifecycleItem>>;
  /**
   * Runs a reindex, one live reindex at a time, else CONFLICT with jobId. Without a published tree:
   * UNAVAILABLE.
   */
  reindex(principal: Principal, options: ReindexOptions): Promise<ReindexJob>;
  /**
   * Confirms a reindex, which then no longer blocks purges. Unknown id, or the id of another kind of job: NOT_FOUND.
   * Still running: CONFLICT.
   */
  confirmReindex(principal: Principal, jobId: string, idempotencyKey?: string): Promise<ReindexJob>;
  /**
   * Runs a verification, one per tenant and one of the complete store at a time, else CONFLICT with jobId.
   */
  verify(principal: Principal, options: VerifyOptions): Promise<VerifyJob>;
  /** Returns the findings of a reindex or a verification, in the order in which it made them. */
  findings(principal: Principal, jobId: string, page: PageRequest): Promise<Page<StoreFinding>>;
}
