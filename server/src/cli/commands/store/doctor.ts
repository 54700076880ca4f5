import process from "node:process";
import { REFUSALS } from "@tierkeep/schema/domain/refusals";
import type { Tierkeep } from "@tierkeep/sdk";
import type { Command } from "commander";
import { storePaths } from "../../../app/embedded/store-files.ts";
import { readStoreConfig } from "../../../app/read-config.ts";
import { type ClientOptions, clientOptions, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import type { Output } from "../../output/output.ts";
import { counted } from "../../output/quantity.ts";
import { type Check, localChecks } from "./doctor-checks.ts";
import { fileChecks } from "./doctor-file-checks.ts";
import { verifyStore } from "./verify.ts";

interface Options extends ClientOptions {
  readonly repair?: true;
}

const HELP = `
If the store is on this machine, the command checks free space, the audit log, links inside the store, permissions and
owners. It then reads every byte of every artifact, compares the files with the catalog in both directions, and compares
the counters of tenants, workflows and the store with a full count. Finally it looks for background work that normally
takes seconds but has been pending for over a day, and names the likely cause. Each finding is logged once as
an event, and damaged artifacts are marked.

--repair deletes nothing. It looks for the bytes of damaged and missing artifacts in the tree, in quarantine and in
objects of other damaged artifacts, and restores them. It adopts files that a sidecar describes, moves other unknown
files to quarantine, publishes again the files of the tree that differ, and corrects counters. Writes wait while a
counter is corrected: a few seconds for a workflow of a million artifacts. To adopt files of another system, run reindex
before --repair: it treats files without a sidecar as unknown. Artifacts that it cannot repair stay marked (damagedAt).
--json writes a line for each check, one for each finding, and the job's line last.

Exit codes: 0 no problem, or all problems were repaired; 7 damaged or missing bytes, or the audit log is not as it was
signed; 4 other problems are left; ${REFUSALS.STORAGE_FULL.exit} little space is left, or a folder cannot be read.

Examples:
  tierkeep doctor
  tierkeep doctor --repair
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Checks a store and, with --repair, repairs it.")
    .option("--repair", "repair what can be repaired; nothing is deleted")
    .addHelpText("after", HELP);
  clientOptions(command).action((options: Options) => {
    const isHere = options.url === undefined && !process.env.TIERKEEP_URL;
    return run(async () => {
      // These checks come before this command may open the store itself and write to it.
      const checks = isHere ? await checksHere() : null;
      return runAsClient(options, (tierkeep, output, signal) =>
        doctor(tierkeep, { repair: options.repair === true, checks }, output, signal),
      );
    });
  });
}

async function checksHere(): Promise<readonly Check[]> {
  const config = readStoreConfig();
  const paths = storePaths(config);
  return [
    ...(await Array.fromAsync(localChecks(paths))),
    ...(await Array.fromAsync(fileChecks(paths, config))),
  ];
}

async function doctor(
  tierkeep: Tierkeep,
  { repair, checks }: { readonly repair: boolean; readonly checks: readonly Check[] | null },
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  if (checks === null)
    output.note("A URL names the store, so its files, space and audit log were not checked.");
  for (const check of checks ?? []) show(check, output);
  const { job, exit, republishedCount } = await verifyStore(tierkeep, { repair }, output, signal);
  const exits = [...(checks ?? []).map((check) => check.exit), exit];
  const repaired = job.healedCount + job.quarantinedCount + job.adoptedCount + republishedCount;
  if (repair && repaired > 0) {
    output.text(
      `${counted(job.healedCount, "artifact")} recovered, ${counted(job.adoptedCount, "artifact")} adopted, ` +
        `${counted(republishedCount, "artifact")} published again, ` +
        `${counted(job.quarantinedCount, "unknown file")} moved to quarantine. Nothing was deleted. See tierkeep quarantine list.`,
    );
  }
  if (!repair && exit !== 0) output.note("To repair what can be repaired: tierkeep doctor --repair");
  // Damage takes precedence.
  return exits.find((each) => each === 7) ?? exits.find((each) => each !== 0) ?? 0;
}

function show({ check, ok, message, exit }: Check, output: Output): void {
  output.value({ check, ok, message, exit });
  output.text(`${ok ? output.style.green("ok") : output.style.red("not ok")}  ${check}: ${message}`);
}
