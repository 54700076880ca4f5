import { isDeepStrictEqual } from "node:util";
import type { EventJob } from "@tierkeep/schema/domain/events";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Job } from "@tierkeep/schema/services/jobs";
import type { FinishJobChange, StartJobChange, StartJobResult } from "../job-changes.ts";
import type { EventDraft } from "./decision.ts";
import { eventOf } from "./event-of.ts";

/**
 * Kinds of live jobs that run one at a time; null: any number. Verifications: one per tenant, and one of the
 * complete store.
 */
const SINGLE: Record<Job["kind"], string | null> = {
  lifecycle: "lifecycle run",
  reindex: "reindex",
  restore: null,
  verify: "verification",
};

/**
 * Decides whether a job starts. Without an event, no job is started.
 *
 * @param running the live job that blocks another one of its kind; null: none runs
 * @throws Refused CONFLICT
 */
export function decideStartJob(
  running: { readonly id: string; readonly input: unknown } | null,
  change: StartJobChange,
): { readonly event: EventDraft | null; readonly result: StartJobResult } {
  const { job, input } = change;
  const single = SINGLE[job.kind];
  if (running === null || single === null || job.dryRun) {
    const event = { ...jobEvent("LIFECYCLE_JOB_STARTED", change, job), job: startedJob(job) };
    return { event, result: { jobId: job.id, started: true } };
  }
  if (job.kind === "lifecycle" && isDeepStrictEqual(running.input, input)) {
    return { event: null, result: { jobId: running.id, started: false } };
  }
  const what = job.kind === "verify" && job.tenantId !== null ? `${single} of this tenant` : single;
  throw new Refused(
    "CONFLICT",
    `Another ${what} is running, and only one can run at a time. Wait until it has finished, or cancel it.`,
    { jobId: running.id },
  );
}

/** Returns the event that ends a RUNNING job; null where the job has ended already, and nothing changes. */
export function decideFinishJob(job: Job | null, change: FinishJobChange): EventDraft | null {
  if (job?.status !== "RUNNING") return null;
  return { ...jobEvent("LIFECYCLE_JOB_COMPLETED", change, job, change), job: endedJob(job, change) };
}

/** Returns the progress of a job, 0 to 1. */
export function jobProgress(status: Job["status"], treated: number, expected: number | null): number {
  if (status === "SUCCEEDED") return 1;
  return expected === null || expected === 0 ? 0 : Math.min(1, treated / expected);
}

/** Returns an event about a job, not about one of its artifacts. */
export function jobEvent(
  type: "LIFECYCLE_JOB_STARTED" | "LIFECYCLE_JOB_COMPLETED" | "REINDEX_CONFIRMED",
  stamp: { readonly at: number; readonly actor: string },
  job: Job,
  ended: Pick<FinishJobChange, "errorCode" | "error"> = { errorCode: null, error: null },
): EventDraft {
  return eventOf(type, stamp, {
    tenantId: job.tenantId,
    toTier: job.kind === "restore" ? job.toTier : null,
    dryRun: job.dryRun,
    jobId: job.id,
    errorCode: ended.errorCode,
    error: ended.error,
  });
}

/** Returns the facts in the event that starts a job. */
function startedJob(job: Job): EventJob {
  const { kind } = job;
  switch (kind) {
    case "lifecycle":
      return {
        kind,
        status: null,
        asOf: job.asOf,
        steps: job.steps,
        retentionPolicy: job.retentionPolicy,
      };
    case "restore":
      return { kind, status: null, toTier: job.toTier };
    case "verify":
      return { kind, status: null, repair: job.repair };
    case "reindex":
      return { kind, status: null };
  }
}

/** Returns the facts in the event that ends a job. `job`: with its final counters. */
function endedJob(job: Job, { status, durationSeconds }: FinishJobChange): EventJob {
  return { ...startedJob(job), status, counts: jobCounts(job), durationSeconds };
}

/** Returns the job's current counters by their names in the API. */
export function jobCounts(job: Job): Record<string, number> {
  const { totalErrors } = job;
  switch (job.kind) {
    case "lifecycle": {
      const { promotedToWarm, promotedToCold, purged } = job;
      return { promotedToWarm, promotedToCold, purged, totalErrors };
    }
    case "restore": {
      const { restoredCount, skippedCount } = job;
      return { restoredCount, skippedCount, totalErrors };
    }
    case "reindex": {
      const { adoptedCount, presentCount, quarantinedCount, leftCount } = job;
      return { adoptedCount, presentCount, quarantinedCount, leftCount, totalErrors };
    }
    case "verify": {
      const { checkedCount, checkedBytes, damagedCount, missingCount, strayCount } = job;
      const { healedCount, quarantinedCount, adoptedCount } = job;
      const found = { checkedCount, checkedBytes, damagedCount, missingCount, strayCount };
      return { ...found, healedCount, quarantinedCount, adoptedCount, totalErrors };
    }
  }
}
