export const JOB_STATUSES = ["RUNNING", "SUCCEEDED", "FAILED", "CANCELLED", "BLOCKED"] as const;

/** RUNNING is the only one that is not final. */
export type JobStatus = (typeof JOB_STATUSES)[number];

export const LIFECYCLE_ITEM_OUTCOMES = ["PLANNED", "DONE", "SKIPPED", "FAILED"] as const;

/** PLANNED in dry runs; SKIPPED: changed since it was found due, or held, so left alone. */
export type LifecycleItemOutcome = (typeof LIFECYCLE_ITEM_OUTCOMES)[number];
