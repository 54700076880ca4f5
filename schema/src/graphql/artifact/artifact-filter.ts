import { MAX_ARTIFACT_ID_BYTES } from "../../domain/identifiers.ts";
import { requireMetadata } from "../../domain/metadata.ts";
import { Refused } from "../../domain/refusals.ts";
import { TIERS } from "../../domain/tiers.ts";
import type { ArtifactFilter } from "../../services/artifacts.ts";
import { optionalIdentifier, optionalSubset, requireWellFormed } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { TierType } from "./tier.ts";

export const ArtifactFilterInput = builder.inputType("ArtifactFilter", {
  description:
    "Selects artifacts. An artifact matches if it satisfies every given field. An empty filter matches all artifacts.",
  fields: (t) => ({
    tenantId: t.string({ description: "Artifacts of this tenant." }),
    workflowId: t.string({
      description: "Artifacts of workflows with this name, in every tenant unless `tenantId` is given.",
    }),
    tiers: t.field({
      type: [TierType],
      description: "Artifacts in one of these tiers. An empty list: BAD_USER_INPUT.",
    }),
    artifactIdPrefix: t.string({
      description: "Artifacts whose artifact id starts with this text. Case-sensitive.",
    }),
    olderThanDays: t.float({
      description: "Artifacts whose age in days is greater than this number, which must be at least 0.",
    }),
    asOf: t.field({
      type: "DateTime",
      description:
        "The instant at which `olderThanDays` computes ages. Default: now. Without `olderThanDays`: BAD_USER_INPUT.",
    }),
    metadata: t.field({
      type: "JSONObject",
      description:
        "Artifacts whose metadata has each of these top-level keys with an equal value. Numbers are compared by value; the order of an object's keys is ignored.",
    }),
  }),
});

/** The tenant or workflow that the parent field has already selected. */
interface Scope {
  readonly tenantId?: string | undefined;
  readonly workflowId?: string | undefined;
}

/**
 * Returns a filter for the services, narrowed to `scope`.
 *
 * @param argument path of the filter, for refusals
 * @throws Refused INVALID_IDENTIFIER for a name that breaks the naming rule; CONTENT_TOO_LARGE for metadata
 * over 64 KiB; BAD_USER_INPUT for any other invalid input, such as a name that contradicts the scope
 */
export function requireArtifactFilter(
  where: typeof ArtifactFilterInput.$inferInput | null | undefined,
  scope: Scope,
  argument = "where",
): ArtifactFilter {
  const given = where ?? {};
  const metadata =
    given.metadata == null ? undefined : requireMetadata(given.metadata, `${argument}.metadata`);
  if (given.asOf != null && given.olderThanDays == null) {
    throw new Refused(
      "BAD_USER_INPUT",
      `${argument}.asOf is given without olderThanDays. Give both, or omit asOf.`,
      {
        argument: `${argument}.asOf`,
      },
    );
  }
  return {
    tenantId: withinScope("tenantId", given.tenantId, scope, argument),
    workflowId: withinScope("workflowId", given.workflowId, scope, argument),
    tiers: optionalSubset(TIERS, given.tiers, `${argument}.tiers`),
    artifactIdPrefix: optionalPrefix(given.artifactIdPrefix, `${argument}.artifactIdPrefix`),
    olderThanDays: optionalDays(given.olderThanDays, `${argument}.olderThanDays`),
    asOf: given.asOf ?? undefined,
    metadata: metadata && Object.keys(metadata).length > 0 ? metadata : undefined,
  };
}

function withinScope(
  kind: "tenantId" | "workflowId",
  value: string | null | undefined,
  scope: Scope,
  filter: string,
): string | undefined {
  const argument = `${filter}.${kind}`;
  const given = optionalIdentifier(kind, value, argument);
  if (given === undefined || scope[kind] === undefined || given === scope[kind]) return given ?? scope[kind];
  throw new Refused(
    "BAD_USER_INPUT",
    `${argument} is ${JSON.stringify(given)}, but this list contains only artifacts of ${JSON.stringify(scope[kind])}. Omit ${argument}.`,
    { argument },
  );
}

function optionalPrefix(prefix: string | null | undefined, argument: string): string | undefined {
  if (!prefix) return undefined;
  // An identifier has no more UTF-16 units than bytes.
  if (prefix.length > MAX_ARTIFACT_ID_BYTES) {
    throw new Refused(
      "BAD_USER_INPUT",
      `${argument} is longer than an artifact id can be: at most ${MAX_ARTIFACT_ID_BYTES} bytes.`,
      { argument },
    );
  }
  return requireWellFormed(prefix, argument);
}

function optionalDays(days: number | null | undefined, argument: string): number | undefined {
  if (days == null) return undefined;
  if (Number.isFinite(days) && days >= 0) return days;
  throw new Refused("BAD_USER_INPUT", `${argument} is ${days}. Give a number of days, at least 0.`, {
    argument,
  });
}
