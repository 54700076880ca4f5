import { requireIdentifier } from "@tierkeep/schema/domain/identifiers";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { isHotter, TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import type { ArtifactFilter } from "@tierkeep/sdk";
import { type FilterOptions, filterOf, isFiltered } from "../../options/filter.ts";
import { artifactKeyOf, type KeyOptions } from "../../options/key.ts";

export interface SelectionOptions extends KeyOptions, FilterOptions {
  readonly fromTier?: Tier | undefined;
  readonly toTier: Tier;
  readonly list?: boolean | undefined;
  readonly autoSelect?: boolean | undefined;
  readonly all?: boolean | undefined;
}

/**
 * What a restore is about: one artifact; or of those that a filter finds a list, the first, all, or what somebody
 * chooses.
 */
export type Selection =
  | { readonly how: "one"; readonly key: ArtifactKey }
  | { readonly how: "list" | "first" | "all" | "choose"; readonly where: ArtifactFilter };

const WAYS = { list: "--list", autoSelect: "--auto-select", all: "--all" } as const;

/** @throws Refused BAD_USER_INPUT for options that contradict each other or say too little, INVALID_IDENTIFIER */
export function selectionOf(key: string | undefined, options: SelectionOptions): Selection {
  const { tenant, workflow, artifact, fromTier, toTier } = options;
  const ways = (["list", "autoSelect", "all"] as const).filter((way) => options[way]);
  if (key !== undefined || artifact !== undefined) {
    const many = ways[0] === undefined ? isFiltered(options) && "a filter" : WAYS[ways[0]];
    if (many)
      throw bad(
        `${key === undefined ? "--artifact" : "KEY"} names one artifact, and ${many} means several. Give one of them.`,
      );
    return { how: "one", key: artifactKeyOf(key, options) };
  }
  if (tenant === undefined) throw bad("Whose artifacts? Give KEY (tenant/workflow/artifact), or --tenant.");
  requireIdentifier("tenantId", tenant, "--tenant");
  if (workflow !== undefined) requireIdentifier("workflowId", workflow, "--workflow");
  if (ways.length > 1) throw bad(`Give only one of ${Object.values(WAYS).join(", ")}.`);
  const tiers = fromTier === undefined ? TIERS.filter((tier) => isHotter(toTier, tier)) : [fromTier];
  if (tiers.length === 0) throw bad("Nothing is colder than the coldest tier. Give a hotter --to-tier.");
  const where = { tenantId: tenant, workflowId: workflow, tiers, ...filterOf(options) };
  if (options.list) return { how: "list", where };
  if (options.autoSelect) return { how: "first", where };
  return { how: options.all || workflow !== undefined || isFiltered(options) ? "all" : "choose", where };
}

/** For where there is no terminal to choose at. */
export function nothingSelected(): Refused {
  return bad(
    "Nothing says which artifacts. Give KEY; --workflow, --prefix, --older-than or --meta for all that these find; --all; or --list to see what there is.",
  );
}

function bad(message: string): Refused {
  return new Refused("BAD_USER_INPUT", message);
}
