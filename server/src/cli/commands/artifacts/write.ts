import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Command } from "commander";
import { type ClientOptions, clientOptions, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { kindOf } from "../../local-file.ts";
import { artifactKeyOf, type KeyOptions, workflowOf } from "../../options/key.ts";
import { type MetadataOptions, metadataOf, metadataOptions } from "../../options/metadata.ts";
import { checksumOption, tierOption } from "../../options/values.ts";
import { writeFile } from "./write-artifacts.ts";
import { planTreeWrite, writeTree } from "./write-tree.ts";

interface Options extends KeyOptions, MetadataOptions, ClientOptions {
  readonly tree?: string;
  readonly dryRun?: true;
  readonly rewrite?: true;
  readonly skipInvalid?: true;
  readonly allowEmpty?: true;
  readonly tier?: Tier;
  readonly contentType?: string;
  readonly checksum?: string;
  readonly ifAbsent?: boolean;
  readonly ifChecksum?: string;
}

const HELP = `
An existing artifact is replaced, unless --if-absent or --if-checksum prevents it. Empty stdin is refused without
--allow-empty, because the command before the pipe may have failed.

--tree writes the files below a folder: a/b.txt as the artifact a/b.txt, with its path in its metadata. Unchanged files are not
written again and keep their age. After an interruption, the same command writes the remaining files. --json writes a
line for each file.

Examples:
  tierkeep write acme/weekly/report.md report.md --meta author=Ada
  pg_dump sales | tierkeep write acme/nightly/sales.sql - --tier warm
  tierkeep write acme/site --tree ./dist --dry-run
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Writes an artifact of any size, or the files of a folder as artifacts.")
    .argument("[key]", "tenant/workflow/artifact; with --tree: tenant/workflow")
    .argument("[file]", "the file to write; - is stdin")
    .option("--tenant <tenant>", "instead of KEY, with --workflow and --artifact")
    .option("--workflow <workflow>", "instead of KEY, with --tenant and --artifact")
    .option("--artifact <artifact>", "instead of KEY, with --tenant and --workflow")
    .option("--tree <folder>", "write every changed file below this folder")
    .option("--dry-run", "with --tree: list what would be written, and change nothing")
    .option("--rewrite", "with --tree: write unchanged files too, which resets their age")
    .option("--skip-invalid", "with --tree: skip and list links and files whose names are not allowed")
    .option("--allow-empty", "write an empty artifact if stdin is empty")
    .addOption(tierOption("--tier <tier>", "the tier to write to (default: hot)"))
    .option("--content-type <type>", "media type (default: by the extension of the artifact's id)");
  metadataOptions(command, "add this to the metadata")
    .option("--if-absent", "only if the artifact does not exist yet")
    .addOption(checksumOption("--if-checksum <sha256>", "only if the current content has this checksum"))
    .addOption(checksumOption("--checksum <sha256>", "only if the new content has this checksum"))
    .addHelpText("after", HELP);
  clientOptions(command).action(
    async (first: string | undefined, second: string | undefined, options: Options) => {
      const { tier, contentType, checksum, ifAbsent, ifChecksum, allowEmpty = false } = options;
      const metadata = metadataOf(options);
      if (options.tree !== undefined) {
        const { tree: folder, rewrite, skipInvalid, dryRun } = options;
        const tree = workflowOf(first, options);
        requireTreeOptions(options, second);
        if ((await kindOf(folder)) !== "folder") throw bad(`--tree ${folder} is not a folder.`);
        return run(() =>
          runAsClient(
            options,
            (tierkeep, output, signal) =>
              dryRun
                ? planTreeWrite(tierkeep, tree, folder, { metadata, rewrite, skipInvalid, signal }, output)
                : writeTree(
                    tierkeep,
                    tree,
                    folder,
                    { tier, metadata, ifAbsent, rewrite, skipInvalid, signal },
                    output,
                  ),
            "changes",
            dryRun ? "use" : "create",
          ),
        );
      }
      for (const name of ["dryRun", "rewrite", "skipInvalid"] as const) {
        if (options[name]) throw bad(`${flagOf(name)} is for --tree. Remove it.`);
      }
      const { key, file } = keyAndFile(first, second, options);
      if (file !== "-") await requireFile(file);
      return run(() =>
        runAsClient(
          options,
          (tierkeep, output, signal) =>
            writeFile(
              tierkeep,
              key,
              file,
              { tier, contentType, metadata, checksum, ifAbsent, ifChecksum, signal },
              allowEmpty,
              output,
            ),
          "changes",
          "create",
        ),
      );
    },
  );
}

/** If options name the artifact, the only argument is the file. */
function keyAndFile(
  first: string | undefined,
  second: string | undefined,
  options: KeyOptions,
): { readonly key: ArtifactKey; readonly file: string } {
  const named = [options.tenant, options.workflow, options.artifact].some((option) => option !== undefined);
  const [text, file] = named && second === undefined ? [undefined, first] : [first, second];
  const key = artifactKeyOf(text, options);
  if (file === undefined) throw bad("No file is named. Give FILE after KEY, or - for stdin.");
  return { key, file };
}

async function requireFile(file: string): Promise<void> {
  const kind = await kindOf(file);
  if (kind === "nothing") throw bad(`There is no file ${file}.`);
  if (kind === "folder") throw bad(`${file} is a folder. Write its files with --tree ${file}.`);
  // A device or pipe has no size and can be read only once.
  if (kind === "other") throw bad(`${file} is not a regular file. Use stdin: tierkeep write KEY - < ${file}`);
}

function requireTreeOptions(options: Options, file: string | undefined): void {
  if (file !== undefined) throw bad("--tree and FILE both name what to write. Give one of them.");
  for (const [name, value] of Object.entries({
    "--content-type": options.contentType,
    "--checksum": options.checksum,
    "--if-checksum": options.ifChecksum,
    "--allow-empty": options.allowEmpty,
  })) {
    if (value !== undefined) throw bad(`${name} is for one file, and --tree for many. Remove ${name}.`);
  }
}

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function bad(message: string): Refused {
  return new Refused("BAD_USER_INPUT", message);
}
