import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Command } from "commander";
import { type ClientOptions, clientOptions, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { artifactKeyOf, type KeyOptions, workflowOf } from "../../options/key.ts";
import { readJson, readToFile, readToStdout, readTree } from "./read-artifacts.ts";

interface Options extends KeyOptions, ClientOptions {
  readonly output?: string;
  readonly tree?: string;
  readonly dotFiles?: true;
}

const HELP = `
The command compares the content with the artifact's checksum and exits with code 7 if they differ. A file gets its name
when it is complete. An interrupted or killed download leaves a file .NAME.….part beside it, and the same command
continues from there. --tree writes a workflow's artifacts as files below a folder, and never outside it: by the path in
their metadata, otherwise by their ids.
--json writes the artifact with its content as text or base64. With -o or --tree it writes a line for each file.

Examples:
  tierkeep read acme/weekly/report.md
  tierkeep read acme/nightly/sales.sql -o sales.sql
  tierkeep read acme/site --tree ./site
`;

export function configure(command: Command, run: Run): void {
  command
    .description(
      "Reads an artifact of any size to stdout or into a file, or all artifacts of a workflow into a folder.",
    )
    .argument("[key]", "tenant/workflow/artifact; with --tree: tenant/workflow")
    .option("--tenant <tenant>", "instead of KEY, with --workflow and --artifact")
    .option("--workflow <workflow>", "instead of KEY, with --tenant and --artifact")
    .option("--artifact <artifact>", "instead of KEY, with --tenant and --workflow")
    .option("-o, --output <file>", "write the content into this file (default: stdout)")
    .option("--tree <folder>", "write all artifacts of the workflow below this folder")
    .option("--dot-files", "with --tree: also write files and folders whose names begin with a dot")
    .addHelpText("after", HELP);
  clientOptions(command).action((text: string | undefined, options: Options) => {
    const { tree: folder, output: file = "-", json } = options;
    if (folder !== undefined) {
      const tree = workflowOf(text, options);
      if (options.output !== undefined) {
        throw new Refused(
          "BAD_USER_INPUT",
          "--output is for one artifact, and --tree for many. Give one of them.",
        );
      }
      return run(() =>
        runAsClient(options, (tierkeep, output, signal) =>
          readTree(tierkeep, tree, folder, { dotFiles: options.dotFiles, signal }, output),
        ),
      );
    }
    if (options.dotFiles) {
      throw new Refused("BAD_USER_INPUT", "--dot-files is for --tree. Remove it.");
    }
    const key = artifactKeyOf(text, options);
    if (file !== "-") {
      return run(() =>
        runAsClient(options, (tierkeep, output, signal) => readToFile(tierkeep, key, file, output, signal)),
      );
    }
    return run(() =>
      runAsClient(
        options,
        (tierkeep, output, signal) =>
          json ? readJson(tierkeep, key, output) : readToStdout(tierkeep, key, signal),
        "reads",
      ),
    );
  });
}
