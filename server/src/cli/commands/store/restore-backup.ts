import { REFUSALS } from "@tierkeep/schema/domain/refusals";
import type { Command } from "commander";
import { storePaths } from "../../../app/embedded/store-files.ts";
import { readConfig } from "../../../app/read-config.ts";
import { restoredSettings } from "../../../app/settings/restored.ts";
import { StartProblem } from "../../../app/start-problem.ts";
import { type BackupReport, restoreBackup, verifyBackup } from "../../../backup/restore-backup.ts";
import { NewerCatalogError } from "../../../catalog/open-catalog.ts";
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
The store is made in STORAGE_BASE_PATH, which must be empty or not there. It gets the settings of the backup: retention,
signing key and the others that tierkeep settings shows. LOG_DIR, where it is given, replaces the log's folder; any other
setting of the environment must be the backup's. The audit log is restored into the log's folder where there is none.
A log that is there already is left as it is: the server goes on in a new file, and says so in it.

Each checksum is compared; an artifact that is damaged in the backup comes back without its bytes, and is named. The tree of
tiers is published anew once the store is served. A job that ran when the backup was taken goes on then, and events of what
came after it are gone, and all cursors are refused (CURSOR_INVALID). API keys are as they were: what was revoked since then
lets in again.

Exit codes: 0 all is there, 7 something is damaged, 3 that is no backup, 4 there is a store already.

Examples:
  tierkeep restore-backup /mnt/backups/2026-11-24 --verify
  STORAGE_BASE_PATH=/srv/artifacts tierkeep restore-backup /mnt/backups/2026-11-24
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Makes a store of a backup, where there is none.")
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
      output.note("The backup has no audit log: the store had lost it when the backup was taken.");
    if (!report.logRestored)
      output.note(`The audit log in ${report.logs} was there already and is left as it is.`);
    output.note(`The store is in ${store.root}, with the settings of the backup (tierkeep settings).`);
    output.note("Next: tierkeep serve");
    return code;
  } catch (error) {
    if (error instanceof NewerCatalogError) throw new StartProblem(error.message);
    if (interrupted.exitCode === null || (error as Error).name !== "AbortError") throw error;
    progress.clear();
    output.note(verify ? "Interrupted." : "Interrupted: nothing of the store was kept.");
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
