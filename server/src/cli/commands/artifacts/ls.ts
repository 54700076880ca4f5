import { requireIdentifier } from "@tierkeep/schema/domain/identifiers";
import { keyOfText } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { ArtifactFilter, ArtifactOrder, FolderQueryVariables } from "@tierkeep/sdk";
import { type Command, InvalidArgumentError } from "commander";
import { type ClientOptions, clientOptions, runAsClient } from "../../client-command.ts";
import type { Run } from "../../command.ts";
import { type FilterOptions, filterOf, filterOptions, isFiltered } from "../../options/filter.ts";
import { countOf, tiersOption } from "../../options/values.ts";
import { firstOf } from "../../output/first-of.ts";
import { listArtifacts, listFolder } from "./artifact-table.ts";

interface Options extends FilterOptions, ClientOptions {
  readonly tenant?: string;
  readonly workflow?: string;
  readonly tier?: readonly Tier[];
  readonly sort?: ArtifactOrder;
  readonly limit?: number;
  readonly all?: true;
}

const SORT_FIELDS = {
  key: "KEY",
  age: "AGE",
  size: "SIZE",
  created: "CREATED_AT",
  modified: "MODIFIED_AT",
} as const;

const PAGE_SIZE = 500;
/** Default limit at a terminal. Into a pipe, into a file and as JSON, all artifacts are listed. */
const TERMINAL_LIMIT = 1_000;

const HELP = `
A WHERE that ends in / is a folder: only the folders and artifacts directly in it are listed.
--json writes a line for each artifact or folder.

Examples:
  tierkeep ls
  tierkeep ls acme/weekly --tier warm --tier cold --older-than 30d
  tierkeep ls acme/weekly/plots/
  tierkeep ls acme/weekly/report- --meta author=Ada --sort size:desc --limit 10
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Lists artifacts, sorted by key unless --sort is given.")
    .argument(
      "[where]",
      "tenant, tenant/workflow, tenant/workflow/PREFIX of an artifact's id, or tenant/workflow/FOLDER/",
    )
    .option("--tenant <tenant>", "only artifacts of this tenant")
    .option("--workflow <workflow>", "only artifacts of this workflow")
    .addOption(tiersOption("--tier <tier>", "only artifacts in this tier"));
  filterOptions(command)
    .option(
      "--sort <field>",
      `sort by ${Object.keys(SORT_FIELDS).join(", ")}; with :desc in descending order`,
      orderOf,
    )
    .option("--limit <n>", "list at most this many", countOf)
    .option("--all", `list all, also at a terminal (default there: ${TERMINAL_LIMIT})`)
    .addHelpText("after", HELP);
  clientOptions(command).action((where: string | undefined, options: Options) => {
    const { sort, all = false } = options;
    const named = folderOf(where);
    const filter = {
      ...filterOf(options),
      ...scopeOf(where, options),
      ...(named?.prefix && { artifactIdPrefix: named.prefix }),
      tiers: options.tier,
    };
    // A folder is listed complete and by name. Every other list has all artifacts below it.
    const isComplete =
      sort === undefined &&
      options.tier === undefined &&
      options.prefix === undefined &&
      !isFiltered(options);
    const folder = isComplete ? named : null;
    if (all && options.limit !== undefined) command.error("error: give either --all or --limit");
    return run(() =>
      runAsClient(
        options,
        async (tierkeep, output, signal) => {
          const isCut = options.limit === undefined && output.isTerminal && !output.json && !all;
          const limit = options.limit ?? (isCut ? TERMINAL_LIMIT : Number.POSITIVE_INFINITY);
          const first = Math.min(limit, PAGE_SIZE);
          const count =
            folder === null
              ? await listArtifacts(
                  firstOf(tierkeep.artifacts({ where: filter, orderBy: sort, first }), limit),
                  output,
                  signal,
                )
              : await listFolder(
                  folder,
                  firstOf(tierkeep.folder({ ...folder, first }), limit),
                  output,
                  signal,
                );
          if (isCut && count === limit) {
            output.note(
              `Only the first ${limit} are listed; there may be more. --all lists all of them. --limit, --prefix or --tier list fewer.`,
            );
          }
          return 0;
        },
        "reads",
      ),
    );
  });
}

/** Returns the folder that the argument names; null: it names none. */
function folderOf(where: string | undefined): (FolderQueryVariables & { readonly prefix: string }) | null {
  const key = where?.endsWith("/") ? keyOfText(where) : null;
  if (key === null) return null;
  const { tenantId, workflowId, artifactId: prefix } = key;
  return { tenantId, workflowId, prefix };
}

/** Returns the tenant, workflow and prefix of the argument or the options. @throws Refused BAD_USER_INPUT, INVALID_IDENTIFIER */
function scopeOf(where: string | undefined, { tenant, workflow, prefix }: Options): ArtifactFilter {
  const [first, second, ...segments] = where?.replace(/\/$/, "").split("/") ?? [];
  const parts = [first, second, ...(segments.length > 0 ? [segments.join("/")] : [])].filter(
    (part) => part !== undefined,
  );
  const twice = [tenant, workflow, prefix].findIndex(
    (option, at) => option !== undefined && at < parts.length,
  );
  if (twice !== -1) {
    const option = ["--tenant", "--workflow", "--prefix"][twice];
    throw new Refused(
      "BAD_USER_INPUT",
      `${JSON.stringify(where)} and ${option} contradict each other. Give one of them.`,
    );
  }
  const [tenantId = tenant, workflowId = workflow, artifactIdPrefix = prefix] = parts;
  if (tenantId !== undefined) requireIdentifier("tenantId", tenantId, "the tenant");
  if (workflowId !== undefined) requireIdentifier("workflowId", workflowId, "the workflow");
  return { tenantId, workflowId, artifactIdPrefix };
}

function orderOf(text: string): ArtifactOrder {
  const [, name = "", direction] = /^([a-z]+)(?::(asc|desc))?$/.exec(text.toLowerCase()) ?? [];
  if (!Object.hasOwn(SORT_FIELDS, name)) {
    throw new InvalidArgumentError(
      `Give ${Object.keys(SORT_FIELDS).join(", ")}, with :desc for descending order.`,
    );
  }
  const field = SORT_FIELDS[name as keyof typeof SORT_FIELDS];
  return { field, direction: direction === "desc" ? "DESC" : "ASC" };
}
