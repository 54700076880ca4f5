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
Where the store is on this machine, it checks the free space, the audit log, links inside the store, permissions and
owners. Then it reads every byte of every artifact, compares both ways, and compares what is counted of tenants, workflows and the whole with a full count.
Last it looks for work that a server does by itself within seconds and that has been left undone for a day, and says what
may be in its way. What it finds is an event on the log, once, and a damaged artifact is marked.

--repair deletes nothing. It gives what is damaged or gone its bytes back where it finds them (in the tree, in quarantine,
as another damaged artifact's object), takes up files whose sidecar knows them, moves other strays to the store's
quarantine, publishes anew what differs in the tree, and counts anew what was counted wrongly (nobody writes while it
counts: seconds, for a workflow of a million artifacts). Where another system's tree is to be adopted, reindex
first: what no sidecar knows is a stray. What it cannot mend stays marked (damagedAt). --json writes a line
for each check, one for each finding, and the job's own line last.

Exit codes: 0 nothing is wrong, or all of it was mended; 7 bytes are damaged or gone, or the audit log is not as it was
signed; 4 something else is left; ${REFUSALS.STORAGE_FULL.exit} there is hardly any room, or a folder cannot be looked at.

Examples:
  tierkeep doctor
  tierkeep doctor --repair
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Looks whether everything about a store is as it should be, and mends what can be mended.")
    .option("--repair", "mend what can be mended; nothing is deleted")
    .addHelpText("after", HELP);
  clientOptions(command).action((options: Options) => {
    const isHere = options.url === undefined && !process.env.TIERKEEP_URL;
    return run(async () => {
      // Before this command may open the store itself, and write to it.
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
    output.note("The store was named by a URL: its room and its audit log are not looked at.");
  for (const check of checks ?? []) show(check, output);
  const { job, exit, republishedCount } = await verifyStore(tierkeep, { repair }, output, signal);
  const exits = [...(checks ?? []).map((check) => check.exit), exit];
  const mended = job.healedCount + job.quarantinedCount + job.adoptedCount + republishedCount;
  if (repair && mended > 0) {
    output.text(
      `${counted(job.healedCount, "artifact")} healed, ${counted(job.adoptedCount, "artifact")} adopted, ` +
        `${counted(republishedCount, "artifact")} published again, ` +
        `${counted(job.quarantinedCount, "stray")} moved to quarantine: nothing was deleted. See tierkeep quarantine list.`,
    );
  }
  if (!repair && exit !== 0) output.note("What can be mended is mended by tierkeep doctor --repair.");
  // Damage says most.
  return exits.find((each) => each === 7) ?? exits.find((each) => each !== 0) ?? 0;
}

function show({ check, ok, message, exit }: Check, output: Output): void {
  output.value({ check, ok, message, exit });
  output.text(`${ok ? output.style.green("ok") : output.style.red("not ok")}  ${check}: ${message}`);
}
