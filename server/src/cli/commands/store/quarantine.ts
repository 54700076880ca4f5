import { DAY_MS } from "@tierkeep/schema/domain/ages";
import type { Tierkeep } from "@tierkeep/sdk";
import type { Command } from "commander";
import { type ClientOptions, clientOptions, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { daysOf } from "../../options/values.ts";
import { confirmed, requireConfirmable } from "../../output/confirm.ts";
import type { Output } from "../../output/output.ts";
import { counted, formatBytes, formatInstant } from "../../output/quantity.ts";

interface EmptyOptions extends ClientOptions {
  readonly olderThan?: number;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const HELP = `
A repair or a reindex moves unknown files to .tierkeep/quarantine below the store and deletes none of them. A later repair
looks there for the bytes of damaged artifacts.

Examples:
  tierkeep quarantine list
  tierkeep quarantine empty --older-than 30d --dry-run
  tierkeep quarantine empty --older-than 30d --yes
`;

const EMPTY_HELP = `
Deleted files cannot be restored. Each deletion is an event. The command is refused while purges are refused: while the
audit log cannot be written, and until a reindex is confirmed. At a terminal the command asks for confirmation; elsewhere
it needs --yes.

Examples:
  tierkeep quarantine empty --dry-run
  tierkeep quarantine empty --older-than 30d --yes
`;

const COLUMNS = [
  { head: "moved" },
  { head: "size", align: "right" },
  { head: "name", narrow: "shorten" },
] as const;

export function configure(command: Command, run: Run): void {
  command
    .description("Lists and deletes files that repairs and reindexes moved to quarantine.")
    .addHelpText("after", HELP);
  const listCommand = command
    .command("list")
    .description("Lists at most 1000 files in quarantine, oldest first.")
    .addHelpText("after", "\nExample:\n  tierkeep quarantine list --json");
  clientOptions(listCommand).action((options: ClientOptions) =>
    run(() => runAsClient(options, (tierkeep, output, signal) => list(tierkeep, output, signal), "reads")),
  );
  const emptyCommand = command
    .command("empty")
    .description("Deletes the files in quarantine.")
    .option("--older-than <time>", "only files moved there longer ago than this, such as 30d or 12h", daysOf)
    .option("--dry-run", "show what would be deleted, and change nothing")
    .option("-y, --yes", "do not ask for confirmation")
    .addHelpText("after", EMPTY_HELP);
  clientOptions(emptyCommand).action((options: EmptyOptions) => {
    requireConfirmable(options.yes === true || options.dryRun === true);
    return run(() =>
      runAsClient(options, (tierkeep, output, signal) => empty(tierkeep, options, output, signal)),
    );
  });
}

async function list(tierkeep: Tierkeep, output: Output, signal: AbortSignal): Promise<number> {
  const { count, totalBytes, files } = await tierkeep.quarantine();
  await output.list(
    COLUMNS,
    files,
    ({ name, sizeBytes, movedAt }) => [formatInstant(movedAt), formatBytes(sizeBytes), name],
    signal,
  );
  output.note(`${counted(count, "file")} in quarantine, ${formatBytes(totalBytes)}`);
  return 0;
}

async function empty(
  tierkeep: Tierkeep,
  { olderThan, dryRun = false, yes = false }: EmptyOptions,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  // The question and the deletion use the same instant, so that files moved there in between stay.
  const movedBefore = new Date(Date.now() - (olderThan ?? 0) * DAY_MS).toISOString();
  if (!dryRun && !yes) {
    const { deleted } = await tierkeep.emptyQuarantine({ movedBefore, dryRun: true });
    const what = `${counted(deleted.count, "file")} (${formatBytes(deleted.totalBytes)})`;
    if (
      deleted.count > 0 &&
      !(await confirmed(`Delete ${what} from quarantine? They cannot be restored.`, signal))
    ) {
      output.note("Nothing was changed.");
      return 1;
    }
  }
  const emptied = await tierkeep.emptyQuarantine({ movedBefore, dryRun });
  const { count, totalBytes } = emptied.deleted;
  output.value(emptied);
  output.text(
    `${dryRun ? "Would delete" : "Deleted"} ${counted(count, "file")} from quarantine (${formatBytes(totalBytes)})`,
  );
  if (dryRun) output.text("Nothing was changed.");
  return 0;
}
