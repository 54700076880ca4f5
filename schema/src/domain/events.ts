import type { JobKind, JobStatus } from "./jobs.ts";
import type { LifecycleStep, RetentionPolicy } from "./policy.ts";
import type { ErrorCode } from "./refusals.ts";
import type { Tier } from "./tiers.ts";

export const LIFECYCLE_EVENT_TYPES = [
  "ARTIFACT_WRITTEN",
  "ARTIFACT_PROMOTED",
  "ARTIFACT_RESTORED",
  "ARTIFACT_PURGED",
  "ARTIFACT_ADOPTED",
  "PROMOTED_TO_WARM",
  "PROMOTED_TO_COLD",
  "PURGED_FROM_COLD",
  "PROMOTION_ERROR",
  "PURGE_ERROR",
  "RESTORE_ERROR",
  "SCAN_ERROR",
  "LIFECYCLE_JOB_STARTED",
  "LIFECYCLE_JOB_COMPLETED",
  "LIFECYCLE_STEP_FAILED",
  "REINDEX_CONFIRMED",
  "ARTIFACT_READ",
  "ARTIFACT_HEALED",
  "STRAY_QUARANTINED",
  "API_KEY_CREATED",
  "API_KEY_REVOKED",
  "COUNTERS_RECOUNTED",
  "SETTING_CHANGED",
  "RETENTION_CONFIRMED",
  "QUARANTINE_EMPTIED",
] as const;

export type LifecycleEventType = (typeof LIFECYCLE_EVENT_TYPES)[number];

/** The facts of a job in the event that starts or finishes it. */
export interface EventJob {
  readonly kind: JobKind;
  /** Its final status; null if the event starts it. */
  readonly status: JobStatus | null;
  /** Lifecycle runs only: the instant at which they compute ages, ms since the epoch. */
  readonly asOf?: number;
  readonly steps?: readonly LifecycleStep[];
  /** Lifecycle runs only: the default retention policy in force at the start. */
  readonly retentionPolicy?: RetentionPolicy;
  /** Restores only. */
  readonly toTier?: Tier;
  /** Verifications only: true if the job repairs what can be repaired. */
  readonly repair?: boolean;
  /** The job's results, by the names of the counters in the API. Absent if the event starts it. */
  readonly counts?: Readonly<Record<string, number>>;
  /** Absent if the event starts the job. */
  readonly durationSeconds?: number;
}

/** One line of the audit log, written in the same commit as the change that it records. */
export interface LifecycleEvent {
  /** Position in the log. It increases by one per event, in commit order. */
  readonly seq: number;
  /** ms since the epoch. */
  readonly timestamp: number;
  readonly type: LifecycleEventType;
  /** The author of the change: a principal's name, "schedule" or "system". */
  readonly actor: string;
  /** Null on events over all tenants. */
  readonly tenantId: string | null;
  readonly workflowId: string | null;
  readonly artifactId: string | null;
  readonly fromTier: Tier | null;
  readonly toTier: Tier | null;
  readonly ageDays: number | null;
  readonly sizeBytes: number | null;
  /** SHA-256 of the artifact's content, lower-case hex. */
  readonly checksum: string | null;
  readonly dryRun: boolean;
  readonly jobId: string | null;
  readonly errorCode: ErrorCode | null;
  readonly error: string | null;
  /**
   * On LIFECYCLE_JOB_STARTED and LIFECYCLE_JOB_COMPLETED. Absent on other events, and on events of earlier
   * versions.
   */
  readonly job?: EventJob;
}
