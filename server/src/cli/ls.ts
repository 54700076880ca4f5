import { requireIdentifier } from "@tierkeep/schema/domain/identifiers";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { Artifact, ArtifactFilter, ArtifactOrder, Tierkeep } from "@tierkeep/sdk";
import { type Command, InvalidArgumentError } from "commander";
import { type FilterOptions, filterOf, filterOptions } from "./artifact-filter-options.ts";
import { asClient, type ClientOptions, clientOptions, tierOption } from "./client-command.ts";
import type { Run } from "./command.ts";
import { keyText } from "./key-arguments.ts";
import type { Output } from "./render-output.ts";
import { counted, shownAge, shownBytes } from "./render-quantity.ts";
import { shownNext } from "./shown-next.ts";

interface Options extends FilterOptions, ClientOptions {
  readonly tenant?: string;
  readonly workflow?: string;
  readonly tier?: Tier;
  readonly sort?: ArtifactOrder;
  readonly limit?: number;
}

const SORT_FIELDS = {
  key: "KEY",
  age: "AGE",
  size: "SIZE",
  created: "CREATED_AT",
  modified: "MODIFIED_AT",
} as const;

const HELP = `
--json writes a line for each artifact.

Examples:
  tierkeep ls
  tierkeep ls acme/weekly --tier warm --older-than 30d
  tierkeep ls acme/weekly/report- --meta author=Ada --sort size:desc --limit 10
`;

export function configure(command: Command, run: Run): void {
  command
    .description("Lists artifacts, by key unless told otherwise.")
    .argument("[where]", "tenant, tenant/workflow, or tenant/workflow/START of an artifact's id")
    .option("--tenant <tenant>", "only of this tenant")
    .option("--workflow <workflow>", "only of this workflow")
    .addOption(tierOption("--tier <tier>", "only in this tier"));
  filterOptions(command)
    .option(
      "--sort <field>",
      `by ${Object.keys(SORT_FIELDS).join(", ")}; with :desc the other way round`,
      orderOf,
    )
    .option("--limit <n>", "at most so many", countOf)
    .addHelpText("after", HELP);
  clientOptions(command).action((where: string | undefined, options: Options) => {
    const filter = {
      ...filterOf(options),
      ...placeOf(where, options),
      tiers: options.tier && [options.tier],
    };
    const { sort, limit } = options;
    return run(() =>
      asClient(options, (tierkeep, output) => list(tierkeep, filter, sort, limit, output), "reads"),
    );
  });
}

async function list(
  tierkeep: Tierkeep,
  where: ArtifactFilter,
  orderBy: ArtifactOrder | undefined,
  limit: number | undefined,
  output: Output,
): Promise<number> {
  let bytes = 0;
  const artifacts = artifactsOf(tierkeep, where, orderBy, limit);
  const count = await output.list(
    [
      { head: "artifact", narrow: "shorten" },
      { head: "tier" },
      { head: "size", align: "right", least: 8 },
      { head: "age", align: "right", least: 7 },
      { head: "next" },
    ],
    artifacts,
    (artifact) => {
      bytes += artifact.sizeBytes;
      return [
        keyText(artifact),
        artifact.tier,
        shownBytes(artifact.sizeBytes),
        shownAge(artifact.ageDays),
        shownNext(artifact),
      ];
    },
  );
  if (!output.json) output.talk(`${counted(count, "artifact")}, ${shownBytes(bytes)}`);
  return 0;
}

async function* artifactsOf(
  tierkeep: Tierkeep,
  where: ArtifactFilter,
  orderBy: ArtifactOrder | undefined,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<Artifact> {
  let left = limit;
  let after: string | null = null;
  while (left > 0) {
    const page: Awaited<ReturnType<Tierkeep["artifacts"]>> = await tierkeep.artifacts({
      where,
      orderBy,
      first: Math.min(left, 500),
      after,
    });
    yield* page.nodes;
    left -= page.nodes.length;
    if (!page.pageInfo.hasNextPage) return;
    after = page.pageInfo.endCursor;
  }
}

/** Whose artifacts, said in one argument or in options. @throws Refused BAD_USER_INPUT, INVALID_IDENTIFIER */
function placeOf(where: string | undefined, { tenant, workflow, prefix }: Options): ArtifactFilter {
  const parts = where?.replace(/\/$/, "").split("/") ?? [];
  if (parts.length > 3) {
    throw new Refused(
      "BAD_USER_INPUT",
      `${JSON.stringify(where)} has ${parts.length} parts. Give tenant, tenant/workflow, or tenant/workflow/START.`,
    );
  }
  const twice = [tenant, workflow, prefix].findIndex(
    (option, at) => option !== undefined && at < parts.length,
  );
  if (twice !== -1) {
    const option = ["--tenant", "--workflow", "--prefix"][twice];
    throw new Refused(
      "BAD_USER_INPUT",
      `${JSON.stringify(where)} and ${option} both say where. Give one of them.`,
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
      `Give ${Object.keys(SORT_FIELDS).join(", ")}, and :desc for the other way round.`,
    );
  }
  const field = SORT_FIELDS[name as keyof typeof SORT_FIELDS];
  return { field, direction: direction === "desc" ? "DESC" : "ASC" };
}

function countOf(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("Give a whole number, 0 or more.");
  return Number(text);
}
