import { type ArtifactKey, keyText } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Tierkeep } from "@tierkeep/sdk";
import type { Command } from "commander";
import { type ClientOptions, clientOptions, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { checksumOption } from "../../options/values.ts";
import { confirmed, requireConfirmable } from "../../output/confirm.ts";
import type { Output } from "../../output/output.ts";
import { formatAge, formatBytes } from "../../output/quantity.ts";
import { actOnMany, type BulkAction } from "./bulk.ts";
import { BULK_HELP, type BulkOptions, bulkOptions, bulkSelectionOf } from "./bulk-selection.ts";
import { noArtifact } from "./stat.ts";

interface PurgeOptions {
  readonly fromTier?: Tier | undefined;
  readonly ifChecksum?: string | undefined;
  readonly dryRun: boolean;
  /** Does not ask for confirmation. */
  readonly yes: boolean;
}

type Options = BulkOptions & ClientOptions & Partial<PurgeOptions>;

const HELP = `
A purged artifact cannot be restored. At a terminal the command asks for confirmation; elsewhere it needs --yes.
${BULK_HELP}
Exit codes: 0 done, 1 not confirmed, 4 some artifacts were skipped.

Examples:
  tierkeep purge acme/weekly/report.md
  tierkeep purge acme/weekly/report.md --dry-run
  tierkeep purge --tenant acme --workflow weekly --older-than 90d --dry-run
  tierkeep purge --tenant acme --from-tier cold --meta draft=yes --yes
`;

export function configure(command: Command, run: Run): void {
  bulkOptions(command)
    .description("Deletes an artifact, or all that match a filter, permanently.")
    .addOption(checksumOption("--if-checksum <sha256>", "only if the content has this checksum"))
    .option("--dry-run", "show what would be deleted, and change nothing")
    .option("-y, --yes", "do not ask for confirmation")
    .addHelpText("after", HELP);
  clientOptions(command).action((text: string | undefined, options: Options) => {
    const selection = bulkSelectionOf(text, options);
    const { fromTier, ifChecksum, dryRun = false, yes = false } = options;
    requireConfirmable(yes || dryRun);
    return run(() =>
      runAsClient(options, (tierkeep, output, signal) => {
        const confirm = (question: string) => confirmed(question, signal);
        return selection.how === "one"
          ? purge(tierkeep, selection.key, { fromTier, ifChecksum, dryRun, yes }, output, confirm)
          : actOnMany(
              tierkeep,
              purging(tierkeep),
              { where: selection.where, dryRun, confirm: yes ? null : confirm, signal },
              output,
            );
      }),
    );
  });
}

/** Deletes each artifact if its tier and its content are still those that were listed. */
export function purging(tierkeep: Tierkeep): BulkAction {
  return {
    verb: "Purge",
    done: "Purged",
    warning: "They cannot be restored.",
    sparesHeld: true,
    act: ({ tenantId, workflowId, artifactId, tier, checksum }) =>
      tierkeep.purgeArtifact({
        tenantId,
        workflowId,
        artifactId,
        fromTier: tier as Tier,
        ifChecksum: checksum,
        dryRun: false,
      }),
  };
}

/** Deletes one artifact. Returns exit code 0, or 1 if it was not confirmed. */
export async function purge(
  tierkeep: Tierkeep,
  key: ArtifactKey,
  { fromTier, ifChecksum, dryRun, yes }: PurgeOptions,
  output: Output,
  confirm: (question: string) => Promise<boolean>,
): Promise<number> {
  let checksum = ifChecksum;
  if (!dryRun && !yes) {
    const artifact = await tierkeep.artifact(key);
    if (artifact === null) throw noArtifact(key);
    const { tier, sizeBytes, ageDays } = artifact;
    const what = `${keyText(key)} (${tier}, ${formatBytes(sizeBytes)}, ${formatAge(ageDays)} old)`;
    if (!(await confirm(`Purge ${what}? It cannot be restored.`))) {
      output.note("Nothing was changed.");
      return 1;
    }
    // Purge only the content that the question was about, not content that was written since.
    checksum ??= artifact.checksum;
  }
  const purged = await tierkeep.purgeArtifact({ ...key, fromTier, ifChecksum: checksum, dryRun });
  output.value(purged);
  const { sizeBytes } = purged;
  output.text(
    `${purged.dryRun ? "Would purge" : "Purged"} ${keyText(key)} from ${purged.fromTier} (${formatBytes(sizeBytes)})`,
  );
  if (purged.dryRun) output.text("Nothing was changed.");
  return 0;
}
