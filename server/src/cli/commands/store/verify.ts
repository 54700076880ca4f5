import { requireIdentifier } from "@tierkeep/schema/domain/identifiers";
import type { Tierkeep, VerifyJob } from "@tierkeep/sdk";
import type { Command } from "commander";
import { type ClientOptions, clientOptions, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { inCommandWords } from "../../output/error-text.ts";
import type { Output } from "../../output/output.ts";
import { counted, formatBytes } from "../../output/quantity.ts";
import { exitCodeOf } from "../jobs/lifecycle-run.ts";
import { waitForEnd } from "../jobs/wait.ts";
import { showFindings } from "./findings.ts";

interface Options extends ClientOptions {
  readonly tenant?: string;
}

const HELP = `
The command repairs nothing; tierkeep doctor --repair does. Each finding is logged once as an event. --json writes a line
for each finding, and the job's line last.

Exit codes: 0 no problem, 7 damaged or missing bytes, 4 other problems.

Examples:
  tierkeep verify
  tierkeep verify --tenant acme --json
`;

export function configure(command: Command, run: Run): void {
  command
    .description(
      "Reads every artifact and compares its checksum, looks for files that belong to no artifact, and checks counters.",
    )
    .option("--tenant <tenant>", "only artifacts of this tenant; unknown files and counters are not checked")
    .addHelpText("after", HELP);
  clientOptions(command).action((options: Options) => {
    const { tenant } = options;
    if (tenant !== undefined) requireIdentifier("tenantId", tenant, "--tenant");
    return run(() =>
      runAsClient(
        options,
        async (tierkeep, output, signal) =>
          (await verifyStore(tierkeep, { tenantId: tenant }, output, signal)).exit,
      ),
    );
  });
}

/** Verifies or repairs the store, waits for the end and shows the findings. `exit`: the exit code. */
export async function verifyStore(
  tierkeep: Tierkeep,
  input: { readonly tenantId?: string | undefined; readonly repair?: boolean },
  output: Output,
  signal: AbortSignal,
): Promise<{ readonly job: VerifyJob; readonly exit: number; readonly republishedCount: number }> {
  const { job: begun } = await tierkeep.verifyArtifacts({ ...input, waitSeconds: 0 });
  const job = await waitForEnd(begun, input.repair ? "Repairing" : "Verifying", output, signal);
  const {
    exit: found,
    otherCount,
    republishedCount,
  } = await showFindings(
    tierkeep.verifyJobFindings({ id: job.id, first: 500 }),
    output,
    signal,
    input.repair ? ["QUARANTINED"] : [],
  );
  output.value(job);
  const others = otherCount > 0 ? `; ${counted(otherCount, "other problem")}` : "";
  const { checkedCount, checkedBytes, damagedCount, missingCount, strayCount } = job;
  output.text(
    `Verified ${counted(checkedCount, "artifact")}, ${formatBytes(checkedBytes)}: ${damagedCount} damaged, ` +
      `${missingCount} missing; ${counted(strayCount, "unknown file")}${others}: ${job.status}`,
  );
  if (job.error !== null) output.text(output.style.red(inCommandWords(job.error)));
  return { job, exit: job.status === "SUCCEEDED" ? found : exitCodeOf(job), republishedCount };
}
