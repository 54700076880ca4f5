import type { Tierkeep } from "@tierkeep/sdk";
import type { Command } from "commander";
import { type ClientOptions, clientOptions, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { filterOptions } from "../../options/filter.ts";
import { tierOption } from "../../options/values.ts";
import { isInteractive } from "../../output/confirm.ts";
import type { Output } from "../../output/output.ts";
import { listArtifacts } from "./artifact-table.ts";
import { type RestoreOptions, restoreFirst, restoreMany, restoreOne } from "./restore-artifacts.ts";
import { chosenKeys } from "./restore-choice.ts";
import { nothingSelected, type Selection, type SelectionOptions, selectionOf } from "./restore-selection.ts";

interface Options extends SelectionOptions, ClientOptions {
  readonly dryRun?: boolean;
}

const HELP = `
KEY, or --tenant with --workflow and --artifact, restores one artifact. --tenant with any of --workflow, --prefix,
--older-than and --meta restores all artifacts that match, and --tenant with --all every artifact in a colder tier. With
--tenant alone, you choose from a list at a terminal. --list --json writes a line for each artifact.

Examples:
  tierkeep restore acme/weekly/report.md
  tierkeep restore --tenant acme --from-tier warm
  tierkeep restore --tenant acme --from-tier warm --list
  tierkeep restore --tenant acme --workflow weekly --older-than 30d --dry-run
  tierkeep restore --tenant acme --from-tier cold --to-tier warm --auto-select
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Moves artifacts back to a hotter tier and resets their age.")
    .argument("[key]", "tenant/workflow/artifact")
    .option("--tenant <tenant>", "the tenant, instead of KEY")
    .option("--workflow <workflow>", "only artifacts of this workflow")
    .option("--artifact <artifact>", "only this artifact; needs --tenant and --workflow")
    .addOption(tierOption("--from-tier <tier>", "only artifacts in this tier (default: in any colder tier)"))
    .addOption(tierOption("--to-tier <tier>", "the tier to restore to").default("HOT", "hot"))
    .option("--list", "list what could be restored, and restore nothing")
    .option("--auto-select", "restore only the first artifact, by workflow and id")
    .option("--all", "restore all artifacts of the tenant");
  filterOptions(command)
    .option("--dry-run", "show what would be restored, and change nothing")
    .addHelpText("after", HELP);
  clientOptions(command).action((key: string | undefined, options: Options) => {
    const selection = selectionOf(key, options);
    if (selection.how === "choose" && !isInteractive()) throw nothingSelected();
    const { fromTier, toTier, dryRun = false } = options;
    return run(() =>
      runAsClient(
        options,
        (tierkeep, output, signal) =>
          restore(tierkeep, selection, { fromTier, toTier, dryRun }, output, signal),
        selection.how === "list" ? "reads" : "changes",
      ),
    );
  });
}

async function restore(
  tierkeep: Tierkeep,
  selection: Selection,
  options: RestoreOptions,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  if (selection.how === "one") return restoreOne(tierkeep, selection.key, options, output);
  const { how, where } = selection;
  switch (how) {
    case "list":
      await listArtifacts(tierkeep.artifacts({ where, first: 500 }), output, signal);
      return 0;
    case "first":
      return restoreFirst(tierkeep, where, options, output);
    case "all":
      return restoreMany(tierkeep, { where }, options, output, signal);
    case "choose": {
      const keys = await chosenKeys(tierkeep, where, output, signal);
      return restoreMany(tierkeep, { keys }, options, output, signal);
    }
  }
}
