import process from "node:process";
import { LIFECYCLE_STEPS, type LifecycleStep } from "@tierkeep/schema/domain/policy";
import { type Command, InvalidArgumentError, Option } from "commander";
import { storePaths } from "../../../app/embedded/store-files.ts";
import { readConfig } from "../../../app/read-config.ts";
import { readStoreFile } from "../../../app/settings/config-file.ts";
import { shownSettings } from "../../../app/settings/shown.ts";
import { type ClientOptions, clientOptions, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { repeatableOption } from "../../options/repeatable.ts";
import { countOf } from "../../options/values.ts";
import { confirmed, isInteractive } from "../../output/confirm.ts";
import type { Output } from "../../output/output.ts";
import { formatInstant } from "../../output/quantity.ts";
import { cancelJob } from "./cancel.ts";
import { confirmedLifecycleRun, lifecycleRun } from "./lifecycle-run.ts";
import { lifecycleSummary } from "./lifecycle-summary.ts";
import { listLifecycleJobs } from "./list.ts";

interface RunOptions extends ClientOptions {
  readonly dryRun?: true;
  readonly live?: true;
  readonly verbose?: true;
  /** Does not ask for confirmation. */
  readonly yes?: true;
  readonly step?: readonly LifecycleStep[];
  readonly tenant?: string;
}

interface JobsOptions extends ClientOptions {
  readonly limit: number;
}

const STEPS = LIFECYCLE_STEPS.map((step) => step.toLowerCase());

const RUN_HELP = `
Exactly one of --dry-run and --live is required. --verbose --json writes a line for each artifact, and the run's line
last.

Purged artifacts cannot be restored. At a terminal, the command shows how much would be purged and asks for confirmation,
unless --yes is given. Elsewhere, for example in cron, --live is enough.

Exit codes: 0 done, 1 the run or some artifacts failed, 4 cancelled, or another run is in progress, 6 blocked.

Examples:
  tierkeep lifecycle run --dry-run --verbose
  tierkeep lifecycle run --live --tenant acme --step promote_to_warm
`;

export function configure(command: Command, run: Run): void {
  command
    .description(
      "Moves artifacts to colder tiers as they age, and purges them at the end of their retention.",
    )
    .addHelpText(
      "after",
      "\nExample:\n  tierkeep lifecycle run --dry-run\n\nEach subcommand has its own --help.",
    );
  const runCommand = command
    .command("run")
    .description(
      "Moves due artifacts to the next tier and purges those at the end of their retention, or shows what would be done.",
    )
    .option("--dry-run", "show what a run would do, and change nothing")
    .option("--live", "move and purge artifacts")
    .option("-y, --yes", "do not ask for confirmation before purging")
    .option("--verbose", "list every artifact that the run moves or purges")
    .addOption(repeatableOption("--step <step>", "only this step", stepOf, STEPS))
    .option("--tenant <tenant>", "only artifacts of this tenant")
    .addOption(new Option("--as-of <when>").hideHelp().argParser(refuseAsOf))
    .addHelpText("after", RUN_HELP);
  clientOptions(runCommand).action((options: RunOptions) => {
    if ((options.dryRun === true) === (options.live === true)) {
      runCommand.error("error: give either --dry-run or --live");
    }
    const { dryRun = false, step: steps, tenant, verbose, yes = false } = options;
    const how = { dryRun, steps, tenant, verbose };
    return run(() =>
      runAsClient(options, async (tierkeep, output, signal) => {
        const code = await (dryRun || yes || !isInteractive()
          ? lifecycleRun(tierkeep, how, output, signal)
          : confirmedLifecycleRun(tierkeep, how, output, signal, (question) => confirmed(question, signal)));
        reportRetention(options, output);
        return code;
      }),
    );
  });

  const summaryCommand = command
    .command("summary")
    .description("Shows the contents of each tier, the last lifecycle run and the newest events.")
    .addHelpText("after", "\nExample:\n  tierkeep lifecycle summary --json");
  clientOptions(summaryCommand).action((options: ClientOptions) =>
    run(() =>
      runAsClient(
        options,
        async (tierkeep, output) => {
          const code = await lifecycleSummary(tierkeep, output);
          reportRetention(options, output);
          return code;
        },
        "reads",
      ),
    ),
  );

  const jobsCommand = command
    .command("jobs")
    .description("Lists lifecycle runs, newest first.")
    .option("--limit <n>", "show at most this many", countOf, 20)
    .addHelpText(
      "after",
      "\nExample:\n  tierkeep lifecycle jobs --limit 5\n  tierkeep lifecycle jobs --json",
    );
  clientOptions(jobsCommand).action((options: JobsOptions) =>
    run(() =>
      runAsClient(options, (tierkeep, output) => listLifecycleJobs(tierkeep, options, output), "reads"),
    ),
  );

  const cancelCommand = command
    .command("cancel")
    .description("Cancels a run. The run stops after its current batch and does not undo its changes.")
    .argument("<id>", "the run's id, as `lifecycle jobs` shows it")
    .addHelpText("after", "\nExample:\n  tierkeep lifecycle cancel Sm9iLzNm…");
  clientOptions(cancelCommand).action((id: string, options: ClientOptions) =>
    run(() => runAsClient(options, (tierkeep, output) => cancelJob(tierkeep, { id }, output))),
  );
}

function stepOf(text: string): LifecycleStep {
  const step = LIFECYCLE_STEPS.find((each) => each === text.toUpperCase().replaceAll("-", "_"));
  if (step === undefined) throw new InvalidArgumentError(`Give one of ${STEPS.join(", ")}.`);
  return step;
}

/** Rejects --as-of and names the API's forecast instead. @throws InvalidArgumentError */
function refuseAsOf(text: string): never {
  const when = new Date(text);
  const asOf = Number.isNaN(when.getTime()) ? "2027-01-01T00:00:00.000Z" : when.toISOString();
  throw new InvalidArgumentError(
    `This command computes ages as of now. For a forecast, use the API: tierkeep gql 'mutation { runLifecycle(input: { dryRun: true, asOf: "${asOf}" }) { job { promotedToWarm promotedToCold purged } } }'`,
  );
}

function reportRetention({ url }: ClientOptions, output: Output): void {
  const notice = retentionNotice(url);
  if (notice !== null) output.note(notice);
}

/** Returns a notice about a shortened retention that purges do not use yet; null: there is none, or the store is remote. */
function retentionNotice(url: string | undefined): string | null {
  if (url !== undefined || process.env.TIERKEEP_URL) return null;
  const config = readConfig();
  const settings = shownSettings(config.storageBasePath, readStoreFile(storePaths(config)), Date.now());
  const cold = settings.find(({ pending }) => pending !== null);
  if (cold?.pending == null) return null;
  const { inForce, until } = cold.pending;
  return `${cold.name} was shortened to ${cold.value}: purges still use ${inForce}, until ${formatInstant(until)} or until \`tierkeep settings confirm\`.`;
}
