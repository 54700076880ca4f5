import { Refused } from "@tierkeep/schema/domain/refusals";
import { TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import type { Tierkeep } from "@tierkeep/sdk";
import type { Command } from "commander";
import { type ClientOptions, clientOptions, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { checksumOption, tierOption } from "../../options/values.ts";
import { confirmed, isInteractive } from "../../output/confirm.ts";
import { actOnMany, type BulkAction } from "./bulk.ts";
import { BULK_HELP, type BulkOptions, bulkOptions, bulkSelectionOf } from "./bulk-selection.ts";
import { showMove } from "./show-move.ts";

interface Options extends BulkOptions, ClientOptions {
  readonly toTier: Tier;
  readonly dryRun?: true;
  readonly yes?: true;
}

const HELP = `${BULK_HELP}
Exit codes: 0 done, 1 not confirmed, 4 some artifacts were skipped.

Examples:
  tierkeep promote acme/weekly/report.md --to-tier cold
  tierkeep promote acme/weekly/report.md --from-tier hot --to-tier warm --dry-run
  tierkeep promote --tenant acme --workflow weekly --older-than 7d --to-tier cold
`;

export function configure(command: Command, run: Run): void {
  bulkOptions(command)
    .description(
      "Moves an artifact, or all that match a filter, to another tier. A move to a hotter tier resets the age.",
    )
    .addOption(tierOption("--to-tier <tier>", "the tier to move to").makeOptionMandatory())
    .addOption(checksumOption("--if-checksum <sha256>", "only if the content has this checksum"))
    .option("--dry-run", "show what would be moved, and change nothing")
    .option("-y, --yes", "do not ask for confirmation at a terminal before many artifacts are moved")
    .addHelpText("after", HELP);
  clientOptions(command).action((text: string | undefined, options: Options) => {
    const selection = bulkSelectionOf(text, options);
    const { fromTier, toTier, ifChecksum, dryRun = false, yes = false } = options;
    if (selection.how === "many" && fromTier === toTier) {
      throw new Refused("BAD_USER_INPUT", "--from-tier and --to-tier name the same tier. Give two tiers.");
    }
    return run(() =>
      runAsClient(options, async (tierkeep, output, signal) => {
        if (selection.how === "many") {
          const tiers = selection.where.tiers ?? TIERS.filter((tier) => tier !== toTier);
          const confirm = yes || !isInteractive() ? null : (question: string) => confirmed(question, signal);
          const where = { ...selection.where, tiers };
          return actOnMany(tierkeep, movingTo(toTier, tierkeep), { where, dryRun, confirm, signal }, output);
        }
        const { key } = selection;
        const moved = await tierkeep.promoteArtifact({ ...key, fromTier, toTier, ifChecksum, dryRun });
        return showMove(moved, dryRun ? "Would move" : "Moved", output);
      }),
    );
  });
}

/** Moves each artifact if its tier and its content are still those that were listed. */
export function movingTo(toTier: Tier, tierkeep: Tierkeep): BulkAction {
  return {
    verb: `Move to ${toTier}`,
    done: `Moved to ${toTier}`,
    sparesHeld: false,
    act: ({ tenantId, workflowId, artifactId, tier, checksum }) =>
      tierkeep.promoteArtifact({
        tenantId,
        workflowId,
        artifactId,
        fromTier: tier as Tier,
        toTier,
        ifChecksum: checksum,
      }),
  };
}
