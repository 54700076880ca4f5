import type { LifecycleJob, Tierkeep } from "@tierkeep/sdk";
import { firstOf } from "../../output/first-of.ts";
import type { Output } from "../../output/output.ts";
import { shownDuration, shownInstant } from "../../output/quantity.ts";
import type { Column } from "../../output/table.ts";
import { statusOf } from "./job-list.ts";

const COLUMNS: readonly Column[] = [
  { head: "started", narrow: "drop" },
  { head: "run", narrow: "stay" },
  { head: "status", narrow: "stay" },
  { head: "errors", align: "right" },
  { head: "moved", align: "right" },
  { head: "purged", align: "right" },
  { head: "took", align: "right", least: 8 },
  { head: "tenant" },
  { head: "id", narrow: "stay" },
];

/** Lists the newest lifecycle runs, newest first. */
export async function lifecycleJobs(
  tierkeep: Tierkeep,
  { limit }: { readonly limit: number },
  output: Output,
): Promise<number> {
  const running: LifecycleJob[] = [];
  const jobs = firstOf(tierkeep.lifecycleJobs({ first: Math.min(limit, 500) }), limit);
  const count = await output.list(COLUMNS, jobs, (job) => {
    if (job.status === "RUNNING") running.push(job);
    return [
      shownInstant(job.startedAt),
      job.dryRun ? "dry" : "live",
      statusOf(job),
      job.totalErrors > 0 ? { text: String(job.totalErrors), style: output.style.red } : "0",
      String(job.promotedToWarm + job.promotedToCold),
      String(job.purged),
      job.durationSeconds === null ? "–" : shownDuration(job.durationSeconds),
      job.tenantId ?? "all",
      job.id,
    ];
  });
  if (count === 0) output.talk("None yet: tierkeep lifecycle run --dry-run shows what one would do.");
  if (output.json) return 0;
  for (const { id } of running) output.talk(`To stop what runs: tierkeep lifecycle cancel ${id}`);
  return 0;
}
