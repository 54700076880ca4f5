export const JOB_KINDS = ["lifecycle", "restore", "reindex", "verify"] as const;

export type JobKind = (typeof JOB_KINDS)[number];

export const JOB_STATUSES = ["RUNNING", "SUCCEEDED", "FAILED", "CANCELLED", "BLOCKED"] as const;

/** Every status except RUNNING is final. */
export type JobStatus = (typeof JOB_STATUSES)[number];

export const LIFECYCLE_ITEM_OUTCOMES = ["PLANNED", "DONE", "SKIPPED", "FAILED"] as const;

/**
 * PLANNED: not done yet, or a dry run. SKIPPED: not done, because the artifact changed after it became due,
 * or is held.
 */
export type LifecycleItemOutcome = (typeof LIFECYCLE_ITEM_OUTCOMES)[number];

/**
 * Returns the opaque global id of a job in the API. Every kind has the same form, because an event stores
 * only the job's id.
 */
export function jobGlobalId(jobId: string): string {
  return btoa(`Job/${jobId}`).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
