import type { Job, JobFilter, Tierkeep } from "@tierkeep/sdk";
import { firstOf } from "../../output/first-of.ts";
import type { Output } from "../../output/output.ts";
import { shownDuration, shownInstant } from "../../output/quantity.ts";
import type { Column } from "../../output/table.ts";
import { jobCounts } from "./job-counts.ts";

/** A narrow terminal keeps the status and the id, which `jobs cancel` needs. */
const COLUMNS: readonly Column[] = [
  { head: "started", narrow: "drop" },
  { head: "kind", narrow: "drop" },
  { head: "run", narrow: "drop" },
  { head: "status", narrow: "stay" },
  { head: "errors", align: "right" },
  { head: "took", align: "right", least: 8 },
  { head: "tenant" },
  { head: "id", narrow: "stay" },
  { head: "what it did" },
];

const PAGE_SIZE = 500;

/** Lists the newest jobs of every kind that match, newest first. */
export async function jobList(
  tierkeep: Tierkeep,
  { where, limit }: { readonly where: JobFilter; readonly limit: number },
  output: Output,
): Promise<number> {
  const running: string[] = [];
  const jobs = firstOf(tierkeep.jobs({ where, first: Math.min(limit, PAGE_SIZE) }), limit);
  const count = await output.list(COLUMNS, jobs, (job) => {
    if (job.status === "RUNNING") running.push(job.id);
    return [
      shownInstant(job.startedAt),
      job.kind.toLowerCase(),
      job.dryRun ? "dry" : "live",
      statusOf(job),
      job.totalErrors > 0 ? { text: String(job.totalErrors), style: output.style.red } : "0",
      job.durationSeconds === null ? "–" : shownDuration(job.durationSeconds),
      tenantOf(job),
      job.id,
      jobCounts(job),
    ];
  });
  if (count === 0) output.talk("No such jobs.");
  if (output.json) return 0;
  for (const id of running) output.talk(`To stop the running job: tierkeep jobs cancel ${id}`);
  return 0;
}

/** The one tenant of a job. A restore without one is of several tenants; any other job is of all. */
function tenantOf(job: Job): string {
  if (job.__typename === "RestoreJob") return job.tenantId ?? "several";
  return "tenantId" in job ? (job.tenantId ?? "all") : "all";
}

export function statusOf({ status, progress }: Pick<Job, "status" | "progress">): string {
  return status === "RUNNING" && progress !== null ? `${status} ${Math.floor(progress * 100)} %` : status;
}
