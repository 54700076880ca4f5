import { MAX_IDENTIFIER_BYTES } from "../../domain/identifiers.ts";
import { requireMetadata } from "../../domain/metadata.ts";
import { Refused } from "../../domain/refusals.ts";
import { TIERS } from "../../domain/tiers.ts";
import type { ArtifactFilter } from "../../services/artifacts.ts";
import { optionalIdentifier, optionalSubset, requireWellFormed } from "../types/arguments.ts";
import { builder } from "../types/builder.ts";
import { TierType } from "./tier.ts";

export const ArtifactFilterInput = builder.inputType("ArtifactFilter", {
  description: "Which artifacts. Everything given must hold; an empty filter takes all.",
  fields: (t) => ({
    tenantId: t.string({ description: "Of this tenant." }),
    workflowId: t.string({ description: "Of the workflow of this name, in whichever tenants." }),
    tiers: t.field({
      type: [TierType],
      description: "In one of these tiers. An empty list: BAD_USER_INPUT.",
    }),
    artifactIdPrefix: t.string({ description: "Whose artifact id starts with this, to the letter." }),
    olderThanDays: t.float({ description: "Whose age in days is strictly over this; at least 0." }),
    asOf: t.field({
      type: "DateTime",
      description:
        "The instant at which olderThanDays judges. Default: now. Without olderThanDays: BAD_USER_INPUT.",
    }),
    metadata: t.field({
      type: "JSONObject",
      description:
        "Whose metadata has each of these top-level keys with an equal value: numbers by value, objects without regard to the order of their keys.",
    }),
  }),
});

/** What the field that a filter stands in has already settled. */
interface Scope {
  readonly tenantId?: string | undefined;
  readonly workflowId?: string | undefined;
}

/**
 * A filter as the services take it, within `scope`.
 *
 * @param argument path of the filter, for refusals
 * @throws Refused INVALID_IDENTIFIER for a name that breaks the rule; CONTENT_TOO_LARGE for metadata over 64 KiB;
 * BAD_USER_INPUT for anything else that cannot be meant, a name that contradicts the scope included
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
      `${argument}.asOf says when to judge an age; give olderThanDays with it.`,
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
    `${argument} is ${JSON.stringify(given)}, but this list is of ${JSON.stringify(scope[kind])} alone.`,
    { argument },
  );
}

function optionalPrefix(prefix: string | null | undefined, argument: string): string | undefined {
  if (!prefix) return undefined;
  // An identifier has no more UTF-16 units than bytes.
  if (prefix.length > MAX_IDENTIFIER_BYTES) {
    throw new Refused(
      "BAD_USER_INPUT",
      `${argument} is longer than any artifact id, which has at most ${MAX_IDENTIFIER_BYTES} bytes.`,
      { argument },
    );
  }
  return requireWellFormed(prefix, argument);
}

function optionalDays(days: number | null | undefined, argument: string): number | undefined {
  if (days == null) return undefined;
  if (Number.isFinite(days) && days >= 0) return days;
  throw new Refused("BAD_USER_INPUT", `${argument} is ${days}; give a number of days, at least 0.`, {
    argument,
  });
}
