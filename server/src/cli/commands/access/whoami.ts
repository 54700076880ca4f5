import type { Command } from "commander";
import { type ClientOptions, clientOptions, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";

const EXAMPLES = `
Examples:
  tierkeep whoami
  TIERKEEP_TOKEN="$(cat ci.key)" tierkeep whoami --url https://tierkeep.example/graphql --json
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Shows your name in the event log, your role and your tenants.")
    .addHelpText("after", EXAMPLES);
  clientOptions(command).action((options: ClientOptions) =>
    run(() =>
      runAsClient(
        options,
        async (tierkeep, output) => {
          const viewer = await tierkeep.viewer();
          output.value(viewer);
          const row = (what: string, value: string) => output.text(`${what.padEnd(9)}${value}`);
          row("name", viewer.actor);
          row("role", viewer.role);
          row("tenants", viewer.tenants === null ? "all" : viewer.tenants.join(", "));
          return 0;
        },
        "reads",
      ),
    ),
  );
}
