import { REFUSALS } from "@tierkeep/schema/domain/refusals";
import type { Command } from "commander";
import packageJson from "../../../../package.json" with { type: "json" };
import { storePaths } from "../../../app/embedded/store-files.ts";
import { readStoreConfig } from "../../../app/read-config.ts";
import { takeBackup } from "../../../backup/take-backup.ts";
import { processOutput } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { interruption } from "../../interruption.ts";
import { startProgress } from "../../output/progress.ts";
import { counted, formatBytes, formatInstant } from "../../output/quantity.ts";
import { showDamaged } from "./damaged-artifacts.ts";

interface Options {
  readonly snapshot?: boolean;
  readonly json?: true;
}

const HELP = `
The command copies the store that STORAGE_BASE_PATH names on this machine. A server may run on the store and continues to
serve it. The space of purged and replaced artifacts is freed only after the backup has ended or failed.

The backup contains everything that was acknowledged before it started: artifacts, jobs, events, the audit log, the
store's settings, and the keys of the store and of the log. Protect it like the store. Without --snapshot, each checksum
is compared during the copy. The folder must be empty or missing. An incomplete backup has no tierkeep-backup.json, and
restore-backup refuses it.

Exit codes: 0 complete, 7 complete except for artifacts that are damaged in the store, 4 the folder is not empty, 6 no
space left.

Examples:
  tierkeep backup /mnt/backups/2026-11-24
  tierkeep backup /srv/before-the-upgrade --snapshot
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Takes a consistent backup of a store, also while a server runs on it.")
    .argument("<dir>", "the folder for the backup")
    .option(
      "--snapshot",
      "create hard links instead of copies: fast, but the backup is lost if the disk fails; no checksums are compared",
    )
    .option("--json", "write JSON to stdout")
    .addHelpText("after", HELP)
    .action((dir: string, options: Options) => run(() => backUp(dir, options)));
}

async function backUp(into: string, { snapshot = false, json }: Options): Promise<number> {
  const output = processOutput(json);
  const store = storePaths(readStoreConfig());
  using interrupted = interruption(null);
  using progress = startProgress("Backing up", "bytes");
  try {
    const manifest = await takeBackup({
      store,
      into,
      linked: snapshot,
      version: packageJson.version,
      signal: interrupted.signal,
      onProgress: (done, total) => progress.update(done, total),
    });
    progress.clear();
    const { damaged, artifactCount, totalBytes, takenAt, seq } = manifest;
    output.value({ directory: into, ...manifest });
    showDamaged(damaged, output);
    output.text(
      `Backed up ${counted(artifactCount - damaged.length, "artifact")}, ${formatBytes(totalBytes)}, as they were at ${formatInstant(takenAt)} (event ${seq}), into ${into}.`,
    );
    return damaged.length === 0 ? 0 : REFUSALS.CHECKSUM_MISMATCH.exit;
  } catch (error) {
    if (interrupted.exitCode === null || (error as Error).name !== "AbortError") throw error;
    progress.clear();
    output.note("Interrupted: the incomplete backup was deleted. The store was not changed.");
    return interrupted.exitCode;
  }
}
