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
  /** Asks nobody. */
  readonly yes?: true;
  readonly step?: readonly LifecycleStep[];
  readonly tenant?: string;
}

interface JobsOptions extends ClientOptions {
  readonly limit: number;
}

const STEPS = LIFECYCLE_STEPS.map((step) => step.toLowerCase());

const RUN_HELP = `
Exactly one of --dry-run and --live is needed. With --verbose --json there is a line for each artifact, and the run's own
line comes last.

What is purged is gone for good. A person at a terminal is told how much that would be and asked first, unless --yes is
given; elsewhere, as in cron, --live is enough.

Exit codes: 0 done, 1 it failed or some artifacts did, 4 it was cancelled or another run is under way, 6 it was blocked.

Examples:
  tierkeep lifecycle run --dry-run --verbose
  tierkeep lifecycle run --live --tenant acme --step promote_to_warm
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Moves artifacts to colder tiers as they age, and purges them when their time is up.")
    .addHelpText("after", "\nExample:\n  tierkeep lifecycle run --dry-run\n\nEach has a --help of its own.");
  const runCommand = command
    .command("run")
    .description(
      "Moves what has aged to the next tier and purges what has been kept long enough, or shows what would be.",
    )
    .option("--dry-run", "show what a run would do, and change nothing")
    .option("--live", "do it")
    .option("-y, --yes", "do not ask before it purges")
    .option("--verbose", "list every artifact concerned")
    .addOption(repeatableOption("--step <step>", "only this step", stepOf, STEPS))
    .option("--tenant <tenant>", "only this tenant")
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
    .description("Shows what is in each tier, what the lifecycle did last, and the newest events.")
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
    .description("Lists the lifecycle's runs, newest first.")
    .option("--limit <n>", "only so many", countOf, 20)
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
    .description("Stops a run between two artifacts. What it has done stays done.")
    .argument("<id>", "which run: its id, as `lifecycle jobs` shows it")
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

/** The command has no forecast; the API has one, which the message shows. @throws InvalidArgumentError */
function refuseAsOf(text: string): never {
  const when = new Date(text);
  const asOf = Number.isNaN(when.getTime()) ? "2027-01-01T00:00:00.000Z" : when.toISOString();
  throw new InvalidArgumentError(
    `This command judges ages as of now. For a forecast ask the API: tierkeep gql 'mutation { runLifecycle(input: { dryRun: true, asOf: "${asOf}" }) { job { promotedToWarm promotedToCold purged } } }'`,
  );
}

function reportRetention({ url }: ClientOptions, output: Output): void {
  const notice = retentionNotice(url);
  if (notice !== null) output.note(notice);
}

/** What to say of a shortened retention that purges do not use yet; null: there is none, or the store is remote. */
function retentionNotice(url: string | undefined): string | null {
  if (url !== undefined || process.env.TIERKEEP_URL) return null;
  const config = readConfig();
  const settings = shownSettings(config.storageBasePath, readStoreFile(storePaths(config)), Date.now());
  const cold = settings.find(({ pending }) => pending !== null);
  if (cold?.pending == null) return null;
  const { inForce, until } = cold.pending;
  return `${cold.name} was shortened to ${cold.value}: purges still use ${inForce}, until ${formatInstant(until)} or until \`tierkeep settings confirm\`.`;
}
