import type { JobKind, JobStatus } from "../../domain/jobs.ts";
import type { Job } from "../../services/jobs.ts";
import type { Reads } from "../execution/reads.ts";
import { builder } from "../types/builder.ts";
import { described } from "../types/described-enum.ts";
import { jobGlobalId, parseJobGlobalId } from "../types/global-ids.ts";

export const JobKindType = builder.enumType("JobKind", {
  description: "The kind of work that a job does.",
  values: {
    LIFECYCLE: { value: "lifecycle", description: "A lifecycle run: a LifecycleJob." },
    RESTORE: { value: "restore", description: "A restore of several artifacts: a RestoreJob." },
    REINDEX: {
      value: "reindex",
      description: "A rebuild of the catalog from the published tree: a ReindexJob.",
    },
    VERIFY: { value: "verify", description: "A verification of the store, or a repair: a VerifyJob." },
  } satisfies Record<Uppercase<JobKind>, { value: JobKind; description: string }>,
});

export const JobStatusType = builder.enumType("JobStatus", {
  description: "The status of a job. Every status except RUNNING is final.",
  values: described<JobStatus>({
    RUNNING: "The job is in progress, or waits for a restarted server to resume it.",
    SUCCEEDED: "The job processed every artifact. Some artifacts may have failed: see `totalErrors`.",
    FAILED: "The job could not continue; see `error`. Completed work is kept.",
    CANCELLED: "The job was cancelled. Completed work is kept.",
    BLOCKED: "The job stopped before a step that was not safe; see `error`. Completed work is kept.",
  }),
});

/** Name of the GraphQL type of each kind of job. */
export const JOB_TYPE_NAMES: Readonly<Record<Job["kind"], string>> = {
  lifecycle: "LifecycleJob",
  restore: "RestoreJob",
  reindex: "ReindexJob",
  verify: "VerifyJob",
};

export const JobType = builder.interfaceRef<Job>("Job");

JobType.implement({
  description:
    "Long work that outlives its request. A job is stored in the catalog, resumes after a crash of its server, can be cancelled, and reports its progress.",
  interfaces: [builder.nodeInterfaceRef()],
  resolveType: ({ kind }) => JOB_TYPE_NAMES[kind],
  fields: (t) => ({
    id: t.id({ description: "Opaque global id.", resolve: ({ id }) => jobGlobalId(id) }),
    kind: t.expose("kind", { type: JobKindType, description: "The kind of work." }),
    status: t.expose("status", { type: JobStatusType, description: "The status of the job." }),
    dryRun: t.exposeBoolean("dryRun", {
      description: "True if this is a dry run: it reports what a live job would do, and changes no artifact.",
    }),
    startedAt: t.expose("startedAt", { type: "DateTime", description: "When the job started." }),
    finishedAt: t.expose("finishedAt", {
      type: "DateTime",
      nullable: true,
      description: "When the job finished. Null while it is running.",
    }),
    durationSeconds: t.exposeFloat("durationSeconds", {
      nullable: true,
      description:
        "Duration in seconds by a monotonic clock, always greater than 0. Null while the job is running.",
    }),
    progress: t.exposeFloat("progress", { nullable: true, description: "Progress from 0 to 1." }),
    totalErrors: t.expose("totalErrors", {
      type: "SafeInt",
      description:
        "Number of artifacts that failed, or of problems that the job found. They do not stop the job. To list them, use `lifecycleEvents` with this job's id as `jobId`, or the job's `findings`.",
    }),
    error: t.exposeString("error", {
      nullable: true,
      description: "Why the job is FAILED or BLOCKED. Null for any other status.",
    }),
  }),
});

/**
 * Returns the job with this global id; null if there is none, or if the id is of another type or of a job of
 * another kind.
 */
export async function jobOf<K extends Job["kind"]>(
  { loaders }: Pick<Reads, "loaders">,
  id: string,
  kind: K,
): Promise<Extract<Job, { kind: K }> | null> {
  const jobId = parseJobGlobalId(id);
  const job = jobId === null ? null : await loaders.job(jobId);
  return job?.kind === kind ? (job as Extract<Job, { kind: K }>) : null;
}
