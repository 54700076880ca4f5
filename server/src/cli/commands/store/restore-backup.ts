import { REFUSALS } from "@tierkeep/schema/domain/refusals";
import type { Command } from "commander";
import { storePaths } from "../../../app/embedded/store-files.ts";
import { readConfig } from "../../../app/read-config.ts";
import { restoredSettings } from "../../../app/settings/restored.ts";
import { StartProblem } from "../../../app/start-problem.ts";
import { type BackupReport, restoreBackup, verifyBackup } from "../../../backup/restore-backup.ts";
import { CatalogFormatError } from "../../../catalog/open-catalog.ts";
import { processOutput } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { interruption } from "../../interruption.ts";
import type { Output } from "../../output/output.ts";
import { startProgress } from "../../output/progress.ts";
import { counted, formatBytes, formatInstant } from "../../output/quantity.ts";
import { showDamaged } from "./damaged-artifacts.ts";

interface Options {
  readonly verify?: boolean;
  readonly json?: true;
}

const HELP = `
The command creates the store in STORAGE_BASE_PATH, which must be empty or missing. The store gets the settings of the
backup: retention, signing key and all others that tierkeep settings shows. LOG_DIR in the environment replaces the log's
folder. Every other setting in the environment must equal the backup's, except that the same signing key may have another
path. The audit log is restored unless the log's folder already has one. An existing log is not changed: the server
continues it in a new file, and a checkpoint records the gap.

Each checksum is compared. An artifact that is damaged in the backup is listed, and restored without its bytes. The tree
is published when the store is served. A job that was running during the backup then continues. Events after the backup
are lost, and all older cursors are refused (CURSOR_INVALID). API keys have the state of the backup: keys that were
revoked since then are valid again.

Exit codes: 0 complete, 7 something is damaged, 3 not a backup, 4 there is already a store.

Examples:
  tierkeep restore-backup /mnt/backups/2026-11-24 --verify
  STORAGE_BASE_PATH=/srv/artifacts tierkeep restore-backup /mnt/backups/2026-11-24
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Restores a store from a backup into an empty folder.")
    .argument("<dir>", "the backup's folder")
    .option("--verify", "only read the backup and compare every checksum")
    .option("--json", "write JSON to stdout")
    .addHelpText("after", HELP)
    .action((dir: string, options: Options) => run(() => restore(dir, options)));
}

async function restore(from: string, { verify = false, json }: Options): Promise<number> {
  const output = processOutput(json);
  using interrupted = interruption(null);
  using progress = startProgress(verify ? "Verifying" : "Restoring", "bytes");
  const options = {
    from,
    signal: interrupted.signal,
    onProgress: (done: number, total: number) => progress.update(done, total),
  };
  try {
    if (verify) return show("Verified", from, await verifyBackup(options), output, () => progress.clear());
    const config = readConfig();
    const store = storePaths(config);
    const report = await restoreBackup({
      ...options,
      store,
      settle: (backup) => restoredSettings(config, backup, Date.now()),
    });
    const code = show("Restored", from, report, output, () => progress.clear());
    if (report.manifest.logMissing)
      output.note("The backup has no audit log, because the store had lost it before the backup.");
    if (!report.logRestored) output.note(`The existing audit log in ${report.logs} was not changed.`);
    output.note(`The store is in ${store.root}, with the settings of the backup (tierkeep settings).`);
    output.note("Next: tierkeep serve");
    return code;
  } catch (error) {
    if (error instanceof CatalogFormatError) throw new StartProblem(error.message);
    if (interrupted.exitCode === null || (error as Error).name !== "AbortError") throw error;
    progress.clear();
    output.note(verify ? "Interrupted." : "Interrupted: the incomplete store was deleted.");
    return interrupted.exitCode;
  }
}

function show(
  done: string,
  directory: string,
  report: BackupReport,
  output: Output,
  clear: () => void,
): number {
  clear();
  const { damaged, manifest } = report;
  const { artifactCount, totalBytes, takenAt, seq } = manifest;
  output.value({ directory, ...report });
  showDamaged(damaged, output);
  output.text(
    `${done} ${counted(artifactCount - damaged.length, "artifact")}, ${formatBytes(totalBytes)}, as they were at ${formatInstant(takenAt)} (event ${seq}).`,
  );
  return damaged.length === 0 ? 0 : REFUSALS.CHECKSUM_MISMATCH.exit;
}
