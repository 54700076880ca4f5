export const JOB_KINDS = ["lifecycle", "restore", "reindex", "verify"] as const;

export type JobKind = (typeof JOB_KINDS)[number];

export const JOB_STATUSES = ["RUNNING", "SUCCEEDED", "FAILED", "CANCELLED", "BLOCKED"] as const;

/** RUNNING is the only one that is not final. */
export type JobStatus = (typeof JOB_STATUSES)[number];

export const LIFECYCLE_ITEM_OUTCOMES = ["PLANNED", "DONE", "SKIPPED", "FAILED"] as const;

/** PLANNED in dry runs; SKIPPED: changed since it was found due, or held, so left alone. */
export type LifecycleItemOutcome = (typeof LIFECYCLE_ITEM_OUTCOMES)[number];

/** Opaque global id of a job in the API. The same for every kind, since an event knows only the job's own id. */
export function jobGlobalId(jobId: string): string {
  return btoa(`Job/${jobId}`).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
