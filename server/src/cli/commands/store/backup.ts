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
It copies the store that STORAGE_BASE_PATH names on this machine, whether a server runs on it or not. A server
goes on meanwhile; what it has purged or replaced takes up its room until the backup has ended, whichever way.

Everything that was acknowledged before it began is in the backup: artifacts, jobs, events, the audit log, the store's settings, and the keys of
store and log, so keep it as you keep the store. Each checksum is compared while it is copied. The folder must be empty
or not there; a backup that did not come to its end has no tierkeep-backup.json, and restore-backup refuses it.

Exit codes: 0 all is in it, 7 all but artifacts whose bytes are damaged in the store, 4 the folder is not empty, 6 there is
no room.

Examples:
  tierkeep backup /mnt/backups/2026-11-24
  tierkeep backup /srv/before-the-upgrade --snapshot
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Takes a consistent copy of a store, while it is being served.")
    .argument("<dir>", "the folder to make it in")
    .option(
      "--snapshot",
      "link the files in place of copying them: at once, on the same disk, and lost with it; no bytes are read",
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
    output.note("Interrupted: nothing of the backup was kept, and the store is as it was.");
    return interrupted.exitCode;
  }
}
