import { JOB_KINDS, JOB_STATUSES } from "@tierkeep/schema/domain/jobs";
import type { JobKind, JobStatus } from "@tierkeep/sdk";
import { type Command, InvalidArgumentError } from "commander";
import { type ClientOptions, clientOptions, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { repeatableOption } from "../../options/repeatable.ts";
import { countOf } from "../../options/values.ts";
import { cancelJob } from "./cancel.ts";
import { listJobs } from "./list.ts";

interface Options extends ClientOptions {
  readonly kind?: readonly JobKind[];
  readonly status?: readonly JobStatus[];
  readonly tenant?: string;
  readonly limit: number;
}

const KINDS: readonly JobKind[] = JOB_KINDS.map((kind) => kind.toUpperCase() as Uppercase<typeof kind>);

const HELP = `
A job is a long-running operation of the server: a lifecycle run, a restore of many artifacts, a reindex or a
verification. --json writes a line for each job. --tenant leaves out jobs that cover all tenants.

Examples:
  tierkeep jobs --status running
  tierkeep jobs --kind restore --tenant acme --json
  tierkeep jobs cancel Sm9iLzNm…
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Lists jobs of every kind, newest first.")
    .enablePositionalOptions()
    .addOption(repeatableOption("--kind <kind>", "only jobs of this kind", oneOf(KINDS), lower(KINDS)))
    .addOption(
      repeatableOption(
        "--status <status>",
        "only jobs with this status",
        oneOf(JOB_STATUSES),
        lower(JOB_STATUSES),
      ),
    )
    .option("--tenant <tenant>", "only jobs that are limited to this tenant")
    .option("--limit <n>", "show at most this many", countOf, 20)
    .addHelpText("after", HELP);
  clientOptions(command).action((options: Options) => {
    const { kind: kinds, status: statuses, tenant: tenantId, limit } = options;
    const where = { kinds, statuses, tenantId };
    return run(() =>
      runAsClient(options, (tierkeep, output) => listJobs(tierkeep, { where, limit }, output), "reads"),
    );
  });

  const cancelCommand = command
    .command("cancel")
    .description("Cancels a job. The job stops after its current batch and does not undo its changes.")
    .argument("<id>", "the job's id, as `jobs` shows it, or the audit log's job_id")
    .addHelpText("after", "\nExample:\n  tierkeep jobs cancel Sm9iLzNm…");
  clientOptions(cancelCommand).action((id: string, options: ClientOptions) =>
    run(() => runAsClient(options, (tierkeep, output) => cancelJob(tierkeep, { id }, output))),
  );
}

/** Returns a parser that accepts one of `values`, in upper or lower case. */
function oneOf<Value extends string>(values: readonly Value[]) {
  return (text: string): Value => {
    const value = values.find((each) => each === text.toUpperCase());
    if (value === undefined) throw new InvalidArgumentError(`Give one of ${lower(values).join(", ")}.`);
    return value;
  };
}

function lower(values: readonly string[]): string[] {
  return values.map((value) => value.toLowerCase());
}
