import type { JobKind, JobStatus } from "../../domain/jobs.ts";
import type { Job } from "../../services/jobs.ts";
import type { Reads } from "../execution/reads.ts";
import { builder } from "../types/builder.ts";
import { described } from "../types/described-enum.ts";
import { jobGlobalId, parseJobGlobalId } from "../types/global-ids.ts";

export const JobKindType = builder.enumType("JobKind", {
  description: "What a job does.",
  values: {
    LIFECYCLE: { value: "lifecycle", description: "A run of the lifecycle: a LifecycleJob." },
    RESTORE: { value: "restore", description: "A restore of many artifacts: a RestoreJob." },
    REINDEX: {
      value: "reindex",
      description: "A rebuild of the catalog from the published tree: a ReindexJob.",
    },
    VERIFY: { value: "verify", description: "A check of what is stored, or a repair: a VerifyJob." },
  } satisfies Record<Uppercase<JobKind>, { value: JobKind; description: string }>,
});

export const JobStatusType = builder.enumType("JobStatus", {
  description: "How a job stands. All but RUNNING are final.",
  values: described<JobStatus>({
    RUNNING: "At work, or about to be resumed by a server that has just started.",
    SUCCEEDED: "It went through everything. Single artifacts may have failed: see totalErrors.",
    FAILED: "It could not go on; `error` says why. What it had done stays done.",
    CANCELLED: "Somebody stopped it. What it had done stays done.",
    BLOCKED:
      "It stopped before a step that was not safe to take; `error` says why. What it had done stays done.",
  }),
});

/** Name of the type of each kind of job. */
export const JOB_TYPE_NAMES: Readonly<Record<Job["kind"], string>> = {
  lifecycle: "LifecycleJob",
  restore: "RestoreJob",
  reindex: "ReindexJob",
  verify: "VerifyJob",
};

export const JobType = builder.interfaceRef<Job>("Job");

JobType.implement({
  description:
    "Work that may outlast a request: it is kept in the catalog, goes on after a crash of its server, can be cancelled, and says how far it is.",
  interfaces: [builder.nodeInterfaceRef()],
  resolveType: ({ kind }) => JOB_TYPE_NAMES[kind],
  fields: (t) => ({
    id: t.id({ description: "Opaque global id.", resolve: ({ id }) => jobGlobalId(id) }),
    kind: t.expose("kind", { type: JobKindType, description: "What it does." }),
    status: t.expose("status", { type: JobStatusType, description: "How it stands." }),
    dryRun: t.exposeBoolean("dryRun", {
      description: "True: it changes no artifact, and only finds out what it would do.",
    }),
    startedAt: t.expose("startedAt", { type: "DateTime", description: "When it began." }),
    finishedAt: t.expose("finishedAt", {
      type: "DateTime",
      nullable: true,
      description: "When it ended. Null while it runs.",
    }),
    durationSeconds: t.exposeFloat("durationSeconds", {
      nullable: true,
      description:
        "How long it took in seconds, always over 0, whatever was done to the clock meanwhile. Null while it runs.",
    }),
    progress: t.exposeFloat("progress", { nullable: true, description: "How far it is, from 0 to 1." }),
    totalErrors: t.expose("totalErrors", {
      type: "SafeInt",
      description:
        "How many artifacts failed while it went on with the others, or how many problems it found. Which ones: lifecycleEvents with its jobId, or its findings.",
    }),
    error: t.exposeString("error", {
      nullable: true,
      description: "Why it FAILED or is BLOCKED, else null.",
    }),
  }),
});

/** The job of this global id. Null: there is none, or the id is of something else, a job of another kind too. */
export async function jobOf<K extends Job["kind"]>(
  { loaders }: Pick<Reads, "loaders">,
  id: string,
  kind: K,
): Promise<Extract<Job, { kind: K }> | null> {
  const jobId = parseJobGlobalId(id);
  const job = jobId === null ? null : await loaders.job(jobId);
  return job?.kind === kind ? (job as Extract<Job, { kind: K }>) : null;
}
