import { jobGlobalId } from "@tierkeep/schema/graphql/types/global-ids";
import type { Tierkeep } from "@tierkeep/sdk";
import type { Output } from "../../output/output.ts";
import { formatInstant } from "../../output/quantity.ts";

/** A job's id as the audit log writes it under `job_id`. */
const LOGGED_ID = /^[0-9a-f]{32}$/;

/** Stops a job of any kind between two artifacts; one that has ended stays as it is. Returns exit code 0. */
export async function cancelJob(
  tierkeep: Tierkeep,
  { id }: { readonly id: string },
  output: Output,
): Promise<number> {
  const { job } = await tierkeep.cancelJob({ id: LOGGED_ID.test(id) ? jobGlobalId(id) : id });
  output.value(job);
  output.text(`${nameOf(job)} of ${formatInstant(job.startedAt)}: ${job.status}`);
  if (job.status === "RUNNING") output.note("It was asked to stop, and stops after the artifact it is at.");
  else if (job.status !== "CANCELLED") output.note("It had already ended; nothing was stopped.");
  return 0;
}

function nameOf({ kind, dryRun }: { readonly kind: string; readonly dryRun: boolean }): string {
  if (kind === "LIFECYCLE") return dryRun ? "Dry run" : "Run";
  const name = `${kind.charAt(0)}${kind.slice(1).toLowerCase()}`;
  return dryRun ? `Dry ${name.toLowerCase()}` : name;
}
