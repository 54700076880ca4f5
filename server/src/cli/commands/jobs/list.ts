import type { EventJob, Job, JobFilter, LifecycleJob, Tierkeep } from "@tierkeep/sdk";
import { firstOf } from "../../output/first-of.ts";
import type { Output } from "../../output/output.ts";
import { counted, formatBytes, formatDuration, formatInstant } from "../../output/quantity.ts";
import type { Cell, Column } from "../../output/table.ts";

interface JobColumn<Listed> extends Column {
  cell(job: Listed, output: Output): Cell;
}

const PAGE_SIZE = 500;

const STARTED: JobColumn<Job> = {
  head: "started",
  narrow: "drop",
  cell: ({ startedAt }) => formatInstant(startedAt),
};
const RUN: JobColumn<Job> = { head: "run", narrow: "drop", cell: ({ dryRun }) => (dryRun ? "dry" : "live") };
const STATUS: JobColumn<Job> = { head: "status", narrow: "stay", cell: statusOf };
const ERRORS: JobColumn<Job> = {
  head: "errors",
  align: "right",
  cell: ({ totalErrors }, { style }) =>
    totalErrors > 0 ? { text: String(totalErrors), style: style.red } : "0",
};
const TOOK: JobColumn<Job> = {
  head: "took",
  align: "right",
  minWidth: 8,
  cell: ({ durationSeconds }) => (durationSeconds === null ? "–" : formatDuration(durationSeconds)),
};
const TENANT: JobColumn<Job> = { head: "tenant", cell: tenantOf };
/** Stays on a narrow terminal, because `jobs cancel` needs it. */
const ID: JobColumn<Job> = { head: "id", narrow: "stay", cell: ({ id }) => id };

const JOB_COLUMNS: readonly JobColumn<Job>[] = [
  STARTED,
  { head: "kind", narrow: "drop", cell: ({ kind }) => kind.toLowerCase() },
  RUN,
  STATUS,
  ERRORS,
  TOOK,
  TENANT,
  ID,
  { head: "what it did", cell: jobCounts },
];

const LIFECYCLE_COLUMNS: readonly JobColumn<LifecycleJob>[] = [
  STARTED,
  { ...RUN, narrow: "stay" },
  STATUS,
  ERRORS,
  {
    head: "moved",
    align: "right",
    cell: ({ promotedToWarm, promotedToCold }) => String(promotedToWarm + promotedToCold),
  },
  { head: "purged", align: "right", cell: ({ purged }) => String(purged) },
  TOOK,
  TENANT,
  ID,
];

/** Lists the newest jobs that match, newest first. Returns exit code 0. */
export async function listJobs(
  tierkeep: Tierkeep,
  { where, limit }: { readonly where: JobFilter; readonly limit: number },
  output: Output,
): Promise<number> {
  const jobs = tierkeep.jobs({ where, first: Math.min(limit, PAGE_SIZE) });
  return list(firstOf(jobs, limit), JOB_COLUMNS, "No such jobs.", output);
}

/** Lists the newest lifecycle runs, newest first. Returns exit code 0. */
export async function listLifecycleJobs(
  tierkeep: Tierkeep,
  { limit }: { readonly limit: number },
  output: Output,
): Promise<number> {
  const jobs = tierkeep.lifecycleJobs({ first: Math.min(limit, PAGE_SIZE) });
  const none = "No runs yet: tierkeep lifecycle run --dry-run shows what a run would do.";
  return list(firstOf(jobs, limit), LIFECYCLE_COLUMNS, none, output);
}

async function list<Listed extends Job>(
  jobs: AsyncIterable<Listed>,
  columns: readonly JobColumn<Listed>[],
  none: string,
  output: Output,
): Promise<number> {
  const running: string[] = [];
  const count = await output.list(columns, jobs, (job) => {
    if (job.status === "RUNNING") running.push(job.id);
    return columns.map((column) => column.cell(job, output));
  });
  if (count === 0) output.note(none);
  if (output.json) return 0;
  for (const id of running) output.note(`To stop the running job: tierkeep jobs cancel ${id}`);
  return 0;
}

/**
 * Returns the tenant that a job is limited to. Without one, a restore covers several tenants and any other
 * job all of them.
 */
function tenantOf(job: Job): string {
  if (job.__typename === "RestoreJob") return job.tenantId ?? "several";
  return "tenantId" in job ? (job.tenantId ?? "all") : "all";
}

function statusOf({ status, progress }: Job): string {
  return status === "RUNNING" && progress !== null ? `${status} ${Math.floor(progress * 100)} %` : status;
}

/** Returns a job's counts as a phrase; an empty text for a kind that only a newer server knows. */
export function jobCounts(job: EventJob): string {
  switch (job.__typename) {
    case "LifecycleJob":
      return `${job.promotedToWarm} to warm, ${job.promotedToCold} to cold, ${job.purged} purged`;
    case "RestoreJob":
      return `${job.restoredCount} restored to ${job.toTier.toLowerCase()}, ${job.skippedCount} skipped`;
    case "ReindexJob":
      return `${job.adoptedCount} adopted, ${job.presentCount} present, ${job.quarantinedCount} quarantined, ${job.leftCount} left`;
    case "VerifyJob":
      return (
        `${counted(job.checkedCount, "artifact")} checked (${formatBytes(job.checkedBytes)}), ` +
        `${job.damagedCount} damaged, ${job.missingCount} missing, ${job.strayCount} stray`
      );
    default:
      return "";
  }
}
