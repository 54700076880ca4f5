import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Command } from "commander";
import { checksumOption } from "./checksum-option.ts";
import { asClient, type ClientOptions, clientOptions, tierOption } from "./client-command.ts";
import type { Run } from "./command.ts";
import { artifactKeyOf, type KeyOptions, keyOptions } from "./key-arguments.ts";
import { showMove } from "./shown-move.ts";

interface Options extends KeyOptions, ClientOptions {
  readonly toTier: Tier;
  readonly fromTier?: Tier;
  readonly ifChecksum?: string;
  readonly dryRun?: true;
}

const EXAMPLES = `
Examples:
  tierkeep promote acme/weekly/report.md --to-tier cold
  tierkeep promote acme/weekly/report.md --from-tier hot --to-tier warm --dry-run
`;

export function configure(command: Command, run: Run): void {
  keyOptions(command)
    .description("Moves an artifact to another tier by hand. In a hotter one its age starts anew.")
    .addOption(tierOption("--to-tier <tier>", "where it goes").makeOptionMandatory())
    .addOption(tierOption("--from-tier <tier>", "only if it is there"))
    .addOption(checksumOption("--if-checksum <sha256>", "only if its content has this checksum"))
    .option("--dry-run", "show what would be moved, and change nothing")
    .addHelpText("after", EXAMPLES);
  clientOptions(command).action((text: string | undefined, options: Options) => {
    const key = artifactKeyOf(text, options);
    const { fromTier, toTier, ifChecksum, dryRun } = options;
    return run(() =>
      asClient(options, async (tierkeep, output) => {
        const moved = await tierkeep.promoteArtifact({ ...key, fromTier, toTier, ifChecksum, dryRun });
        return showMove(moved, dryRun ? "Would move" : "Moved", output);
      }),
    );
  });
}
