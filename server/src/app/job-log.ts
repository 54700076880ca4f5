import { jobGlobalId } from "@tierkeep/schema/domain/jobs";
import type { Job } from "@tierkeep/schema/services/jobs";
import type { Logger } from "pino";
import { jobCounts } from "../catalog/changes/jobs.ts";

/** Writes a line to the server's log when a job starts and when it ends. */
export function jobLog(log: Logger) {
  return {
    onStarted: (job: Job, actor: string) => log.info(factsOf(job, actor), "job started"),
    onEnded: (job: Job, actor: string) => {
      const { status, durationSeconds, error } = job;
      const ended = { status, durationSeconds, ...jobCounts(job), ...(error !== null && { error }) };
      log.info({ ...factsOf(job, actor), ...ended }, "job ended");
    },
  };
}

function factsOf(job: Job, actor: string) {
  const asOf = job.kind === "lifecycle" ? { asOf: new Date(job.asOf).toISOString() } : {};
  return {
    jobId: jobGlobalId(job.id),
    kind: job.kind,
    actor,
    dryRun: job.dryRun,
    tenantId: job.tenantId,
    ...asOf,
  };
}
