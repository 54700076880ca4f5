import type { EventJob as EventJobFacts } from "@tierkeep/schema/domain/events";
import type { JobKind, JobStatus } from "@tierkeep/schema/domain/jobs";
import type { LifecycleStep } from "@tierkeep/schema/domain/policy";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { EventJob, LifecycleEvent } from "@tierkeep/sdk";

/** What the audit log records of the job that starts or ends with this event; undefined: none does. */
export function eventJobFacts({ type, job }: LifecycleEvent): EventJobFacts | undefined {
  if (job === null) return undefined;
  const started = {
    kind: job.kind.toLowerCase() as JobKind,
    status: null,
    ...(job.__typename === "LifecycleJob" && {
      asOf: Date.parse(job.asOf),
      steps: job.steps as readonly LifecycleStep[],
      retentionPolicy: job.retentionPolicy,
    }),
    ...(job.__typename === "RestoreJob" && { toTier: job.toTier as Tier }),
    ...(job.__typename === "VerifyJob" && { repair: job.repair }),
  };
  if (type === "LIFECYCLE_JOB_STARTED") return started;
  if (type !== "LIFECYCLE_JOB_COMPLETED") return undefined;
  return {
    ...started,
    status: job.status as JobStatus,
    counts: countsOf(job),
    durationSeconds: job.durationSeconds ?? 0,
  };
}

function countsOf(job: EventJob): Readonly<Record<string, number>> {
  const { totalErrors } = job;
  const counts = Object.entries(job).filter(
    ([name, value]) => typeof value === "number" && name !== "totalErrors" && name !== "durationSeconds",
  ) as [string, number][];
  return { ...Object.fromEntries(counts), totalErrors };
}
