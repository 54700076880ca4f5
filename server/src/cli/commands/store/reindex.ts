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

/** How many jobs back a reindex that waits is looked for: jobs are not kept for ever either. */
const JOBS = 100;

const HELP = `
What is there already stays as it is, and nothing is deleted: a reindex can be repeated. After one that has adopted
something nothing is purged until --confirm says that somebody has looked at what it found. A dry one does not look for
bytes that belong to nothing: as long as artifacts are to be adopted, theirs would be among them. --json writes a line for
each finding, and the job's own line last.

Exit codes: 0 nothing is left to look at, 4 something is, 7 bytes are not the ones that their sidecar tells of.

Examples:
  tierkeep reindex --dry-run
  tierkeep reindex
  tierkeep reindex --confirm
`;

export function configure(command: Command, run: Run): void {
  command
    .description(
      "Takes up what stands in the tree of tiers and the catalog does not have: after the catalog was lost, or from another system.",
    )
    .option("--dry-run", "show what it would do, and change nothing")
    .option(
      "--confirm [id]",
      "say that what a reindex found has been looked at, and let purges go on (default: each that waits for it)",
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
        // A dry run without a store looks at the tree of another system, and needs a catalog for that.
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
  const job = await waitForEnd(begun, dryRun ? "Looking" : "Reindexing", output, signal);
  const { exit: found } = await showFindings(
    tierkeep.reindexJobFindings({ id: job.id, first: 500 }),
    output,
    signal,
  );
  output.value(job);
  const { adoptedCount, presentCount, quarantinedCount, leftCount, confirmedAt } = job;
  output.text(
    `${dryRun ? "Would adopt" : "Adopted"} ${counted(adoptedCount, "artifact")}; ${presentCount} there already, ` +
      `${quarantinedCount} ${dryRun ? "to go " : ""}into quarantine, ${leftCount} left where they are: ${job.status}`,
  );
  if (job.error !== null) output.text(output.style.red(inCommandWords(job.error)));
  if (dryRun) output.text("Nothing was changed.");
  else if (adoptedCount > 0 && confirmedAt === null) {
    output.note(
      `Nothing is purged until somebody has looked at this and says so: tierkeep reindex --confirm ${job.id}`,
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
    output.text(
      `The reindex of ${formatInstant(job.startedAt)} is confirmed: it holds up no purge any more.`,
    );
  }
  if (count === 0) output.note("No reindex waits to be confirmed.");
  return 0;
}

/** The reindexes that hold up purges, as the log tells of them. */
async function* waiting(tierkeep: Tierkeep): AsyncGenerator<string> {
  const where = { types: ["LIFECYCLE_JOB_COMPLETED"], dryRun: false } as const;
  for await (const { jobId } of firstOf(tierkeep.lifecycleEventHistory({ where, first: JOBS }), JOBS)) {
    const job = jobId === null ? null : await tierkeep.reindexJob({ id: jobId });
    if (job !== null && job.adoptedCount > 0 && job.confirmedAt === null) yield job.id;
  }
}
