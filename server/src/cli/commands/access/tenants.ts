import type { Command } from "commander";
import { type ClientOptions, clientOptions, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { counted, formatBytes } from "../../output/quantity.ts";
import type { Column } from "../../output/table.ts";

const HELP = `
A tenant stays in the list after its last artifact was purged. --json writes a line for each tenant.

Examples:
  tierkeep tenants
  tierkeep tenants --json | jq -r .tenantId
`;

const COLUMNS: readonly Column[] = [
  { head: "tenant", narrow: "shorten" },
  { head: "artifacts", align: "right", narrow: "stay" },
  { head: "size", align: "right", minWidth: 8, narrow: "stay" },
];

export function configure(command: Command, run: Run): void {
  command
    .description("Lists the tenants that you may see, by name, with counts and sizes of their artifacts.")
    .addHelpText("after", HELP);
  clientOptions(command).action((options: ClientOptions) =>
    run(() =>
      runAsClient(
        options,
        async (tierkeep, output, signal) => {
          const count = await output.list(
            COLUMNS,
            tierkeep.tenants({ first: 500 }),
            ({ tenantId, tierStats }) => [
              tenantId,
              String(tierStats.reduce((sum, { artifactCount }) => sum + artifactCount, 0)),
              formatBytes(tierStats.reduce((sum, { totalBytes }) => sum + totalBytes, 0)),
            ],
            signal,
          );
          if (!output.json) output.note(counted(count, "tenant"));
          return 0;
        },
        "reads",
      ),
    ),
  );
}
