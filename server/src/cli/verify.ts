import { requireIdentifier } from "@tierkeep/schema/domain/identifiers";
import type { Tierkeep } from "@tierkeep/sdk";
import type { Command } from "commander";
import { asClient, type ClientOptions, clientOptions } from "./client-command.ts";
import type { Run } from "./command.ts";
import { endOf } from "./job-end.ts";
import { exitCodeOf } from "./lifecycle-run.ts";
import type { Output } from "./render-output.ts";
import { counted, shownBytes } from "./render-quantity.ts";
import { showFindings } from "./store-findings.ts";

interface Options extends ClientOptions {
  readonly tenant?: string;
}

const HELP = `
It repairs nothing; damage becomes an event on the log. --json writes a line for each finding, and the job's own line last.

Exit codes: 0 all is well, 7 bytes are damaged or gone, 4 something else is not as it should be.

Examples:
  tierkeep verify
  tierkeep verify --tenant acme --json
`;

export function configure(command: Command, run: Run): void {
  command
    .description(
      "Reads every artifact and compares its checksum, and looks for files that belong to no artifact.",
    )
    .option("--tenant <tenant>", "only this tenant's artifacts, and no other files")
    .addHelpText("after", HELP);
  clientOptions(command).action((options: Options) => {
    const { tenant } = options;
    if (tenant !== undefined) requireIdentifier("tenantId", tenant, "--tenant");
    return run(() =>
      asClient(options, (tierkeep, output, signal) => verify(tierkeep, tenant, output, signal)),
    );
  });
}

async function verify(
  tierkeep: Tierkeep,
  tenant: string | undefined,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const { job: begun } = await tierkeep.verifyArtifacts({ tenantId: tenant, waitSeconds: 1 });
  const job = await endOf(begun, "Verifying", output, signal);
  const found = await showFindings(tierkeep.verifyJobFindings({ id: job.id, first: 500 }), output, signal);
  output.value(job);
  const { checkedCount, checkedBytes, damagedCount, missingCount, strayCount } = job;
  output.text(
    `Verified ${counted(checkedCount, "artifact")}, ${shownBytes(checkedBytes)}: ${damagedCount} damaged, ` +
      `${missingCount} missing; ${counted(strayCount, "stray file")}: ${job.status}`,
  );
  if (job.error !== null) output.text(output.style.red(job.error));
  return job.status === "SUCCEEDED" ? found : exitCodeOf(job);
}
