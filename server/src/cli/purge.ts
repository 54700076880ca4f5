import { type ArtifactKey, keyText } from "@tierkeep/schema/domain/keys";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Tierkeep } from "@tierkeep/sdk";
import type { Command } from "commander";
import { checksumOption } from "./checksum-option.ts";
import { asClient, type ClientOptions, clientOptions, tierOption } from "./client-command.ts";
import type { Run } from "./command.ts";
import { confirmed, requireConfirmable } from "./confirm.ts";
import { artifactKeyOf, type KeyOptions, keyOptions } from "./key-arguments.ts";
import type { Output } from "./render-output.ts";
import { shownAge, shownBytes } from "./render-quantity.ts";
import { noArtifact } from "./stat.ts";

interface PurgeOptions {
  readonly fromTier?: Tier | undefined;
  readonly ifChecksum?: string | undefined;
  readonly dryRun: boolean;
  /** Asks nobody. */
  readonly yes: boolean;
}

type Options = KeyOptions & ClientOptions & Partial<PurgeOptions>;

const HELP = `
What is purged is gone for good. A person at a terminal is asked first; elsewhere --yes is needed.

Examples:
  tierkeep purge acme/weekly/report.md
  tierkeep purge acme/weekly/report.md --dry-run
  tierkeep purge acme/weekly/report.md --from-tier cold --yes
`;

export function configure(command: Command, run: Run): void {
  keyOptions(command)
    .description("Deletes an artifact for good.")
    .addOption(tierOption("--from-tier <tier>", "only if it is there"))
    .addOption(checksumOption("--if-checksum <sha256>", "only if its content has this checksum"))
    .option("--dry-run", "show what would be deleted, and change nothing")
    .option("-y, --yes", "do not ask")
    .addHelpText("after", HELP);
  clientOptions(command).action((text: string | undefined, options: Options) => {
    const key = artifactKeyOf(text, options);
    const { fromTier, ifChecksum, dryRun = false, yes = false } = options;
    requireConfirmable(yes || dryRun);
    return run(() =>
      asClient(options, (tierkeep, output, signal) =>
        purge(tierkeep, key, { fromTier, ifChecksum, dryRun, yes }, output, (question) =>
          confirmed(question, signal),
        ),
      ),
    );
  });
}

/** Answers with 1 where whoever was asked did not say yes. */
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
    const what = `${keyText(key)} (${tier}, ${shownBytes(sizeBytes)}, ${shownAge(ageDays)} old)`;
    if (!(await confirm(`Purge ${what}? It cannot be brought back.`))) {
      output.talk("Nothing was changed.");
      return 1;
    }
    // What was asked about, and nothing that was written since.
    checksum ??= artifact.checksum;
  }
  const purged = await tierkeep.purgeArtifact({ ...key, fromTier, ifChecksum: checksum, dryRun });
  output.value(purged);
  const { sizeBytes } = purged;
  output.text(
    `${purged.dryRun ? "Would purge" : "Purged"} ${keyText(key)} from ${purged.fromTier} (${shownBytes(sizeBytes)})`,
  );
  if (purged.dryRun) output.text("Nothing was changed.");
  return 0;
}
