import { jobGlobalId } from "@tierkeep/schema/graphql/types/global-ids";
import type { Tierkeep } from "@tierkeep/sdk";
import type { Output } from "../../output/output.ts";
import { formatInstant } from "../../output/quantity.ts";

/** A job's id in the audit log's `job_id`. */
const LOGGED_ID = /^[0-9a-f]{32}$/;

/** Cancels a job of any kind, which stops after its current batch. An ended job does not change. Returns exit code 0. */
export async function cancelJob(
  tierkeep: Tierkeep,
  { id }: { readonly id: string },
  output: Output,
): Promise<number> {
  const { job } = await tierkeep.cancelJob({ id: LOGGED_ID.test(id) ? jobGlobalId(id) : id });
  output.value(job);
  output.text(`${nameOf(job)} of ${formatInstant(job.startedAt)}: ${job.status}`);
  if (job.status === "RUNNING") output.note("The job stops after its current artifact.");
  else if (job.status !== "CANCELLED") output.note("The job had already ended.");
  return 0;
}

function nameOf({ kind, dryRun }: { readonly kind: string; readonly dryRun: boolean }): string {
  if (kind === "LIFECYCLE") return dryRun ? "Dry run" : "Run";
  const name = `${kind.charAt(0)}${kind.slice(1).toLowerCase()}`;
  return dryRun ? `Dry ${name.toLowerCase()}` : name;
}
