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
  /** By a monotonic clock, over 0; null while running. */
  readonly durationSeconds: number | null;
  /** 0 to 1. */
  readonly progress: number;
  /** Artifacts that failed; the job went on. */
  readonly totalErrors: number;
  /** Why it FAILED or is BLOCKED. */
  readonly error: string | null;
  /** Null: all tenants, or keys of several. */
  readonly tenantId: string | null;
}

export interface LifecycleJob extends JobFacts {
  readonly kind: "lifecycle";
  readonly asOf: number;
  readonly steps: readonly LifecycleStep[];
  readonly promotedToWarm: number;
  readonly promotedToCold: number;
  readonly purged: number;
  /** The default in force at the start. */
  readonly retentionPolicy: RetentionPolicy;
}

export interface RestoreJob extends JobFacts {
  readonly kind: "restore";
  /** Every tenant whose artifacts it may touch. Null: nobody noted which, so it may be any. */
  readonly tenantIds: readonly string[] | null;
  readonly toTier: Tier;
  readonly restoredCount: number;
  /** Already there. */
  readonly skippedCount: number;
}

export interface ReindexJob extends JobFacts {
  readonly kind: "reindex";
  readonly adoptedCount: number;
  /** In the catalog already. */
  readonly presentCount: number;
  readonly quarantinedCount: number;
  /** Paths left where they are. */
  readonly leftCount: number;
  /** Null: nobody has confirmed it. */
  readonly confirmedAt: number | null;
}

export interface VerifyJob extends JobFacts {
  readonly kind: "verify";
  /** It mends what it can. */
  readonly repair: boolean;
  readonly checkedCount: number;
  readonly checkedBytes: number;
  readonly damagedCount: number;
  readonly missingCount: number;
  readonly strayCount: number;
  /** Of the damaged and the missing ones: have their bytes again. */
  readonly healedCount: number;
  readonly quarantinedCount: number;
  readonly adoptedCount: number;
}

export type Job = LifecycleJob | RestoreJob | ReindexJob | VerifyJob;

/** Already checked: the identifier follows the rule, and no list is empty. */
export interface JobFilter {
  /** Only jobs of this one tenant. */
  readonly tenantId?: string | undefined;
  readonly kinds?: readonly JobKind[] | undefined;
  readonly statuses?: readonly JobStatus[] | undefined;
}

/** What a lifecycle job did to one artifact or, dry, would do. */
export interface LifecycleItem extends ArtifactKey {
  readonly step: LifecycleStep;
  readonly fromTier: Tier;
  /** Null: purged. */
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
  /** ms since the epoch. Live only where the server allows it, else BAD_USER_INPUT. */
  readonly asOf?: number | undefined;
  /** 0 to 60; after that the RUNNING job is the answer. */
  readonly waitSeconds: number;
}

/** Exactly one of keys, where; where.tenantId is given. */
export interface RestoreArtifactsOptions extends Repeatable {
  readonly keys?: readonly ArtifactKey[] | undefined;
  readonly where?: ArtifactFilter | undefined;
  readonly toTier: Tier;
  readonly dryRun: boolean;
  readonly waitSeconds: number;
}

export interface ReindexOptions extends Repeatable {
  readonly dryRun: boolean;
  /** 0 to 60; after that the RUNNING job is the answer. */
  readonly waitSeconds: number;
}

export interface VerifyOptions extends Repeatable {
  /** Only this tenant's artifacts, and nothing that belongs to none. */
  readonly tenantId?: string | undefined;
  /** Mend what can be mended. Of the whole store only: with a tenant, BAD_USER_INPUT. Default: false. */
  readonly repair?: boolean | undefined;
  readonly waitSeconds: number;
}

/** Every method throws Refused. A repeat (idempotencyKey) answers with the first one's job as it is by then. */
export interface JobService {
  /** One live run at a time. The same input while it runs: that job, started false. Another: CONFLICT with jobId. */
  runLifecycle(
    principal: Principal,
    options: RunLifecycleOptions,
  ): Promise<{ readonly job: LifecycleJob; readonly started: boolean }>;
  restoreArtifacts(principal: Principal, options: RestoreArtifactsOptions): Promise<RestoreJob>;
  /** NOT_FOUND for an unknown id. A job that has ended is returned as it is. */
  cancel(principal: Principal, jobId: string, idempotencyKey?: string): Promise<Job>;
  /** In order of `jobIds`; null: none that the caller may see. */
  getMany(principal: Principal, jobIds: readonly string[]): Promise<readonly (Job | null)[]>;
  /** Jobs of every kind that match, newest first. */
  list(principal: Principal, filter: JobFilter, page: PageRequest): Promise<Page<Job>>;
  /** Lifecycle jobs, newest first. */
  listLifecycle(principal: Principal, page: PageRequest): Promise<Page<LifecycleJob>>;
  /** The last lifecycle job that finished. */
  last(principal: Principal, dryRun?: boolean): Promise<LifecycleJob | null>;
  /** By key. */
  items(principal: Principal, jobId: string, page: PageRequest): Promise<Page<LifecycleItem>>;
  /** One live reindex at a time, else CONFLICT with jobId. UNAVAILABLE where no tree is published. */
  reindex(principal: Principal, options: ReindexOptions): Promise<ReindexJob>;
  /** Lets purges happen again. NOT_FOUND for an unknown id or another job's, CONFLICT while it runs. */
  confirmReindex(principal: Principal, jobId: string, idempotencyKey?: string): Promise<ReindexJob>;
  /** One verification of a tenant at a time, and one of the whole store, else CONFLICT with jobId. */
  verify(principal: Principal, options: VerifyOptions): Promise<VerifyJob>;
  /** What a reindex or a verification found, in the order in which it did. */
  findings(principal: Principal, jobId: string, page: PageRequest): Promise<Page<StoreFinding>>;
}
