import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Command } from "commander";
import { asClient, type ClientOptions, clientOptions, tierOption } from "./client-command.ts";
import type { Run } from "./command.ts";
import { listRestorable, restoreFirst, restoreOne } from "./restore-artifacts.ts";

interface Options extends ClientOptions {
  readonly tenant: string;
  readonly fromTier: Tier;
  readonly toTier: Tier;
  readonly list?: true;
  readonly autoSelect?: true;
  readonly workflow?: string;
  readonly artifact?: string;
  readonly dryRun?: true;
}

const HELP = `
Exactly one of --list, --auto-select and --artifact (with --workflow) is needed. --list --json writes a line for each artifact.

Examples:
  tierkeep restore --tenant acme --from-tier warm --list
  tierkeep restore --tenant acme --from-tier warm --workflow weekly --artifact report.md --dry-run
  tierkeep restore --tenant acme --from-tier cold --to-tier warm --auto-select
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Brings an artifact back to a hotter tier. Its age starts anew.")
    .requiredOption("--tenant <tenant>", "whose artifact")
    .addOption(tierOption("--from-tier <tier>", "the tier it is in").makeOptionMandatory())
    .addOption(tierOption("--to-tier <tier>", "where it goes").default("HOT", "hot"))
    .option("--list", "list what could be restored, and restore nothing")
    .option("--workflow <workflow>", "its workflow; with --list or --auto-select: only of this one")
    .option("--artifact <artifact>", "which one")
    .option("--auto-select", "the first one, by workflow and name")
    .option("--dry-run", "show what would be restored, and change nothing")
    .addHelpText("after", HELP);
  clientOptions(command).action((options: Options) => {
    const { list, autoSelect, workflow, artifact, tenant, fromTier, toTier, dryRun = false } = options;
    const ways = [list, autoSelect, artifact].filter((way) => way !== undefined);
    if (ways.length !== 1)
      command.error("error: give one of --list, --auto-select, or --workflow and --artifact");
    if (artifact !== undefined && workflow === undefined) command.error("error: --artifact needs --workflow");
    return run(() =>
      asClient(options, (tierkeep, output) => {
        if (list) return listRestorable(tierkeep, { tenant, fromTier, workflow }, output);
        const restoring = { tenant, fromTier, toTier, dryRun };
        if (artifact === undefined || workflow === undefined) {
          return restoreFirst(tierkeep, restoring, workflow, output);
        }
        return restoreOne(tierkeep, restoring, { workflow, artifact }, output);
      }),
    );
  });
}
