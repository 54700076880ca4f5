import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Command } from "commander";
import { asClient, type ClientOptions, clientOptions } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { artifactKeyOf, type KeyOptions, workflowOf } from "../../options/key.ts";
import { readJson, readToFile, readToStdout, readTree } from "./read-artifacts.ts";

interface Options extends KeyOptions, ClientOptions {
  readonly output?: string;
  readonly tree?: string;
  readonly dotFiles?: true;
}

const HELP = `
Content is verified: bytes that do not have the artifact's checksum end the command with exit code 7. A file gets its name
once it is complete. An interrupted download leaves a file .NAME.….part beside it, which the same command continues, also
after the command was killed. --tree writes a workflow's artifacts as files below a folder, and never outside of it.
--json gives the artifact with its content as text or base64, or with -o and --tree what was written, a line for each.

Examples:
  tierkeep read acme/weekly/report.md
  tierkeep read acme/nightly/sales.sql -o sales.sql
  tierkeep read acme/site --tree ./site
`;

export function configure(command: Command, run: Run): void {
  command
    .description(
      "Reads an artifact of any size to stdout or into a file, or all of a workflow into a folder.",
    )
    .argument("[key]", "tenant/workflow/artifact; with --tree: tenant/workflow")
    .option("--tenant <tenant>", "in place of KEY, with --workflow and --artifact")
    .option("--workflow <workflow>", "in place of KEY, with --tenant and --artifact")
    .option("--artifact <artifact>", "in place of KEY, with --tenant and --workflow")
    .option("-o, --output <file>", "write it into this file (default: stdout)")
    .option("--tree <folder>", "write all of the workflow below this folder")
    .option("--dot-files", "with --tree: also write files and folders whose name begins with a dot")
    .addHelpText("after", HELP);
  clientOptions(command).action((text: string | undefined, options: Options) => {
    const { tree: folder, output: file = "-", json } = options;
    if (folder !== undefined) {
      const tree = workflowOf(text, options);
      if (options.output !== undefined) {
        throw new Refused(
          "BAD_USER_INPUT",
          "--output is for one artifact, and --tree means many. Give one of them.",
        );
      }
      return run(() =>
        asClient(options, (tierkeep, output, signal) =>
          readTree(tierkeep, tree, folder, { dotFiles: options.dotFiles, signal }, output),
        ),
      );
    }
    if (options.dotFiles) {
      throw new Refused("BAD_USER_INPUT", "--dot-files is for --tree. Leave it out.");
    }
    const key = artifactKeyOf(text, options);
    if (file !== "-") {
      return run(() =>
        asClient(options, (tierkeep, output, signal) => readToFile(tierkeep, key, file, output, signal)),
      );
    }
    return run(() =>
      asClient(
        options,
        (tierkeep, output, signal) =>
          json ? readJson(tierkeep, key, output) : readToStdout(tierkeep, key, signal),
        "reads",
      ),
    );
  });
}
