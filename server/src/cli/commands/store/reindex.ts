import process from "node:process";
import type { Tierkeep } from "@tierkeep/sdk";
import type { Command } from "commander";
import { hasTierFolders } from "../../../app/settings/store-opening.ts";
import { type ClientOptions, clientOptions, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { inCommandWords } from "../../output/error-text.ts";
import { firstOf } from "../../output/first-of.ts";
import type { Output } from "../../output/output.ts";
import { counted, formatInstant } from "../../output/quantity.ts";
import { exitCodeOf } from "../jobs/lifecycle-run.ts";
import { waitForEnd } from "../jobs/wait.ts";
import { showFindings } from "./findings.ts";

interface Options extends ClientOptions {
  readonly dryRun?: true;
  readonly confirm?: string | true;
}

/** Number of jobs to search, newest first, for unconfirmed reindexes. */
const MAX_JOBS = 100;

const HELP = `
A reindex does not change artifacts that are in the catalog and deletes nothing, so it can be repeated. After a reindex
that adopted artifacts, purges are refused until an operator has reviewed its findings and confirmed it with --confirm. A
dry run does not look for unknown objects, because it cannot tell them from the objects of artifacts that a live reindex
would adopt. --json writes a line for each finding, and the job's line last.

Exit codes: 0 no findings to review, 4 findings to review, 7 a file's bytes differ from its sidecar's checksum.

Examples:
  tierkeep reindex --dry-run
  tierkeep reindex
  tierkeep reindex --confirm
`;

export function configure(command: Command, run: Run): void {
  command
    .description(
      "Adopts files of the published tree that are not in the catalog: after the catalog was lost, or from another system.",
    )
    .option("--dry-run", "show what would be adopted, and change nothing")
    .option(
      "--confirm [id]",
      "confirm that a reindex was reviewed, so that it no longer blocks purges (default: every unconfirmed reindex)",
    )
    .addHelpText("after", HELP);
  clientOptions(command).action((options: Options) => {
    const { dryRun = false, confirm: which } = options;
    if (dryRun && which !== undefined) command.error("error: give either --dry-run or --confirm");
    return run(() =>
      runAsClient(
        options,
        (tierkeep, output, signal) =>
          which === undefined
            ? reindex(tierkeep, dryRun, output, signal)
            : confirm(tierkeep, which === true ? waiting(tierkeep) : [which], output),
        "changes",
        // A dry run on the tree of another system needs a catalog, so it creates a store.
        which === undefined && (!dryRun || hasTierFolders(process.env.STORAGE_BASE_PATH || "artifacts"))
          ? "rebuild"
          : "use",
      ),
    );
  });
}

async function reindex(
  tierkeep: Tierkeep,
  dryRun: boolean,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const { job: begun } = await tierkeep.reindex({ dryRun, waitSeconds: 1 });
  const job = await waitForEnd(begun, dryRun ? "Checking" : "Reindexing", output, signal);
  const { exit: found } = await showFindings(
    tierkeep.reindexJobFindings({ id: job.id, first: 500 }),
    output,
    signal,
  );
  output.value(job);
  const { adoptedCount, presentCount, quarantinedCount, leftCount, confirmedAt } = job;
  output.text(
    `${dryRun ? "Would adopt" : "Adopted"} ${counted(adoptedCount, "artifact")}; ${presentCount} already there, ` +
      `${quarantinedCount} ${dryRun ? "would go to" : "moved to"} quarantine, ${leftCount} left in place: ${job.status}`,
  );
  if (job.error !== null) output.text(output.style.red(inCommandWords(job.error)));
  if (dryRun) output.text("Nothing was changed.");
  else if (adoptedCount > 0 && confirmedAt === null) {
    output.note(
      `Purges are refused until you have reviewed this and confirmed it: tierkeep reindex --confirm ${job.id}`,
    );
  }
  return job.status === "SUCCEEDED" ? found : exitCodeOf(job);
}

async function confirm(
  tierkeep: Tierkeep,
  ids: AsyncIterable<string> | Iterable<string>,
  output: Output,
): Promise<number> {
  let count = 0;
  for await (const id of ids) {
    const { job } = await tierkeep.confirmReindex({ id });
    count += 1;
    output.value(job);
    output.text(`The reindex of ${formatInstant(job.startedAt)} is confirmed. It no longer blocks purges.`);
  }
  if (count === 0) output.note("No reindex waits for confirmation.");
  return 0;
}

/** Yields the ids of unconfirmed reindexes, which block purges, from the event log. */
async function* waiting(tierkeep: Tierkeep): AsyncGenerator<string> {
  const where = { types: ["LIFECYCLE_JOB_COMPLETED"], dryRun: false } as const;
  for await (const { jobId } of firstOf(
    tierkeep.lifecycleEventHistory({ where, first: MAX_JOBS }),
    MAX_JOBS,
  )) {
    const job = jobId === null ? null : await tierkeep.reindexJob({ id: jobId });
    if (job !== null && job.adoptedCount > 0 && job.confirmedAt === null) yield job.id;
  }
}
