import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Command } from "commander";
import { asClient, type ClientOptions, clientOptions } from "../../client-command.ts";
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
An artifact that exists is replaced, unless --if-absent or --if-checksum says otherwise. stdin without a byte is refused,
unless --allow-empty says otherwise: the command before the pipe may have failed.

--tree writes the files below a folder, a/b.txt as a__b.txt with its path in its metadata. Files that have not changed are
left as they are, so their age goes on. A second call after an interruption writes the rest. --json writes a line for each
file.

Examples:
  tierkeep write acme/weekly/report.md report.md --meta author=Ada
  pg_dump sales | tierkeep write acme/nightly/sales.sql - --tier warm
  tierkeep write acme/site --tree ./dist --dry-run
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Writes an artifact of any size, or a folder of them.")
    .argument("[key]", "tenant/workflow/artifact; with --tree: tenant/workflow")
    .argument("[file]", "what to write; - is stdin")
    .option("--tenant <tenant>", "in place of KEY, with --workflow and --artifact")
    .option("--workflow <workflow>", "in place of KEY, with --tenant and --artifact")
    .option("--artifact <artifact>", "in place of KEY, with --tenant and --workflow")
    .option("--tree <folder>", "write every file below this folder that has changed")
    .option("--dry-run", "with --tree: list what would be written, and change nothing")
    .option("--rewrite", "with --tree: write unchanged files too; their age starts again")
    .option("--skip-invalid", "with --tree: leave out, and list, links and files whose names are not allowed")
    .option("--allow-empty", "write an empty artifact when stdin holds nothing")
    .addOption(tierOption("--tier <tier>", "the tier to write to (default: hot)"))
    .option("--content-type <type>", "its media type (default: by the artifact's ending)");
  metadataOptions(command, "put this into its metadata")
    .option("--if-absent", "only if there is no such artifact yet")
    .addOption(checksumOption("--if-checksum <sha256>", "only if the present content has this checksum"))
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
        if ((await kindOf(folder)) !== "folder") throw bad(`--tree ${folder} is no folder.`);
        return run(() =>
          asClient(
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
        if (options[name]) throw bad(`${flagOf(name)} is for --tree. Leave it out.`);
      }
      const { key, file } = keyAndFile(first, second, options);
      if (file !== "-") await requireFile(file);
      return run(() =>
        asClient(
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

/** Where options name the artifact, the one argument is the file. */
function keyAndFile(
  first: string | undefined,
  second: string | undefined,
  options: KeyOptions,
): { readonly key: ArtifactKey; readonly file: string } {
  const named = [options.tenant, options.workflow, options.artifact].some((option) => option !== undefined);
  const [text, file] = named && second === undefined ? [undefined, first] : [first, second];
  const key = artifactKeyOf(text, options);
  if (file === undefined) throw bad("Write what? Give FILE after KEY, or - for stdin.");
  return { key, file };
}

async function requireFile(file: string): Promise<void> {
  const kind = await kindOf(file);
  if (kind === "nothing") throw bad(`There is no file ${file}.`);
  if (kind === "folder") throw bad(`${file} is a folder. Write what is in it with --tree ${file}.`);
  // What has no size is read once and to its end.
  if (kind === "other") throw bad(`${file} is no regular file. Pipe it in: tierkeep write KEY - < ${file}`);
}

function requireTreeOptions(options: Options, file: string | undefined): void {
  if (file !== undefined) throw bad("--tree says what to write, and so does FILE. Give one of them.");
  for (const [name, value] of Object.entries({
    "--content-type": options.contentType,
    "--checksum": options.checksum,
    "--if-checksum": options.ifChecksum,
    "--allow-empty": options.allowEmpty,
  })) {
    if (value !== undefined) throw bad(`${name} is of one file, and --tree means many. Leave it out.`);
  }
}

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function bad(message: string): Refused {
  return new Refused("BAD_USER_INPUT", message);
}
