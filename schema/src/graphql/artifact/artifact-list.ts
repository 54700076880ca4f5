import { type PageArguments, requirePage } from "../../domain/pages.ts";
import type { Artifact, ArtifactOrderField } from "../../services/artifacts.ts";
import type { GraphQLContext } from "../execution/context.ts";
import { builder } from "../types/builder.ts";
import { type Connection, connectionOf } from "../types/connections.ts";
import { described } from "../types/described-enum.ts";
import { OrderDirection } from "../types/order-direction.ts";
import { ArtifactFilterInput, requireArtifactFilter } from "./artifact-filter.ts";

const ArtifactOrderFieldType = builder.enumType("ArtifactOrderField", {
  description: "What a list of artifacts may be sorted by. Ties are broken by key.",
  values: described<ArtifactOrderField>({
    KEY: "Tenant, then workflow, then artifact id, each by Unicode code point.",
    AGE: "Age: ascending is youngest first.",
    CREATED_AT: "When the key was first written.",
    MODIFIED_AT: "When the content was last written.",
    SIZE: "Size of the content.",
  }),
});

const ArtifactOrderInput = builder.inputType("ArtifactOrder", {
  description: "How a list of artifacts is sorted.",
  fields: (t) => ({
    field: t.field({ type: ArtifactOrderFieldType, required: true, description: "What to sort by." }),
    direction: t.field({
      type: OrderDirection,
      required: true,
      defaultValue: "ASC",
      description: "Which end comes first.",
    }),
  }),
});

/** The arguments of every list of artifacts, beside those of its page. */
export const artifactListArguments = builder.args((t) => ({
  where: t.field({ type: ArtifactFilterInput, description: "Which artifacts. Default: all." }),
  orderBy: t.field({ type: ArtifactOrderInput, description: "In which order. Default: by key, ascending." }),
}));

interface ArtifactListArguments extends PageArguments {
  readonly where?: typeof ArtifactFilterInput.$inferInput | null | undefined;
  readonly orderBy?: typeof ArtifactOrderInput.$inferInput | null | undefined;
}

/** @param scope what the list is of, whatever its filter says */
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
