import { requireIdentifier } from "../../domain/identifiers.ts";
import { type PageArguments, requirePage } from "../../domain/pages.ts";
import { Refused } from "../../domain/refusals.ts";
import type { Folder, FolderEntry, FolderPage } from "../../services/artifacts.ts";
import type { WorkflowName } from "../../services/tenants.ts";
import type { GraphQLContext } from "../execution/context.ts";
import { builder } from "../types/builder.ts";
import { ArtifactType } from "../types/references.ts";

const FolderType = builder.objectRef<Folder>("Folder").implement({
  description:
    "The artifacts of a workflow whose ids start with the same segments. A folder exists as long as it contains an artifact.",
  fields: (t) => ({
    name: t.exposeString("name", { description: "The folder's name: the last segment of `prefix`." }),
    prefix: t.exposeString("prefix", {
      description: "What the ids of the folder's artifacts start with, such as `plots/2026/`.",
    }),
  }),
});

const FolderEntryType = builder.unionType("FolderEntry", {
  description: "A folder or an artifact one level below another folder.",
  types: [FolderType, ArtifactType],
  resolveType: (entry) => ("prefix" in entry ? FolderType : ArtifactType),
});

const FolderEntryEdge = builder
  .objectRef<{ readonly cursor: string; readonly node: FolderEntry }>("FolderEntryEdge")
  .implement({
    description: "An entry of a folder, with its position in the list.",
    fields: (t) => ({
      cursor: t.exposeString("cursor", { description: "Position of this entry, for `after`." }),
      node: t.field({ type: FolderEntryType, description: "The entry.", resolve: ({ node }) => node }),
    }),
  });

/** Unlike other connections it has no totalCount: a count would read all artifacts of the folder. */
export const FolderEntryConnection = builder.objectRef<FolderPage>("FolderEntryConnection").implement({
  description: "A page of a folder.",
  fields: (t) => ({
    edges: t.field({
      type: [FolderEntryEdge],
      description: "The entries, with their positions.",
      resolve: ({ edges }) => [...edges],
    }),
    nodes: t.field({
      type: [FolderEntryType],
      description: "The entries.",
      resolve: ({ edges }) => edges.map(({ node }) => node),
    }),
    pageInfo: t.field({
      type: builder.pageInfoRef(),
      description: "Whether there are more entries, and where to continue.",
      resolve: ({ edges, hasNextPage, hasPreviousPage }) => ({
        hasNextPage,
        hasPreviousPage,
        startCursor: edges[0]?.cursor ?? null,
        endCursor: edges.at(-1)?.cursor ?? null,
      }),
    }),
  }),
});

/**
 * Returns one page of a folder.
 *
 * @throws Refused as requirePage does, BAD_USER_INPUT for a prefix without a slash at its end, INVALID_IDENTIFIER
 */
export async function listFolder(
  workflow: WorkflowName,
  { prefix, ...page }: PageArguments & { readonly prefix: string },
  { services, principal }: GraphQLContext,
): Promise<FolderPage> {
  if (prefix !== "" && !prefix.endsWith("/"))
    throw new Refused(
      "BAD_USER_INPUT",
      `prefix ${JSON.stringify(prefix.slice(0, 60))} does not end with "/". Add a slash, or omit prefix.`,
      { argument: "prefix" },
    );
  if (prefix !== "") requireIdentifier("artifactId", prefix.slice(0, -1), "prefix");
  return services.artifacts.listFolder(principal, workflow, prefix, requirePage(page));
}
