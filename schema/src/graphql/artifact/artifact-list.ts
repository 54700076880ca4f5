import { type PageArguments, requirePage } from "../../domain/pages.ts";
import type { Artifact, ArtifactOrderField } from "../../services/artifacts.ts";
import type { GraphQLContext } from "../execution/context.ts";
import { builder } from "../types/builder.ts";
import { type Connection, connectionOf } from "../types/connections.ts";
import { described } from "../types/described-enum.ts";
import { OrderDirection } from "../types/order-direction.ts";
import { ArtifactFilterInput, requireArtifactFilter } from "./artifact-filter.ts";

const ArtifactOrderFieldType = builder.enumType("ArtifactOrderField", {
  description: "A field to sort artifacts by. Ties are broken in a fixed order.",
  values: described<ArtifactOrderField>({
    KEY: "By tenant, then workflow, then artifact id, each by Unicode code point.",
    AGE: "By age. Ascending: the youngest first.",
    CREATED_AT: "By the time of the key's first write.",
    MODIFIED_AT: "By the time of the content's last write.",
    SIZE: "By the size of the content.",
  }),
});

const ArtifactOrderInput = builder.inputType("ArtifactOrder", {
  description: "The sort order of a list of artifacts.",
  fields: (t) => ({
    field: t.field({ type: ArtifactOrderFieldType, required: true, description: "The field to sort by." }),
    direction: t.field({
      type: OrderDirection,
      required: true,
      defaultValue: "ASC",
      description: "The direction of the sort.",
    }),
  }),
});

/** The arguments of every list of artifacts, in addition to its page arguments. */
export const artifactListArguments = builder.args((t) => ({
  where: t.field({ type: ArtifactFilterInput, description: "Which artifacts to list. Default: all." }),
  orderBy: t.field({
    type: ArtifactOrderInput,
    description: "The order of the list. Default: by key, ascending.",
  }),
}));

interface ArtifactListArguments extends PageArguments {
  readonly where?: typeof ArtifactFilterInput.$inferInput | null | undefined;
  readonly orderBy?: typeof ArtifactOrderInput.$inferInput | null | undefined;
}

/**
 * Returns one page of the artifacts that match the filter. Artifacts outside `scope` never match.
 *
 * @throws Refused as requireArtifactFilter and requirePage do
 */
export async function listArtifacts(
  scope: { readonly tenantId?: string; readonly workflowId?: string },
  { where, orderBy, ...page }: ArtifactListArguments,
  { services, principal, reads }: GraphQLContext,
): Promise<Connection<Artifact>> {
  const filter = requireArtifactFilter(where, scope);
  const order = orderBy ?? ({ field: "KEY", direction: "ASC" } as const);
  return connectionOf(
    await services.artifacts.list(principal, filter, order, requirePage(page), reads.terms),
  );
}
