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
 * What a restore applies to. one: a single artifact. Of the artifacts that match a filter: list them, restore the first or
 * all, or let the user choose.
 */
export type Selection =
  | { readonly how: "one"; readonly key: ArtifactKey }
  | { readonly how: "list" | "first" | "all" | "choose"; readonly where: ArtifactFilter };

const MODES = { list: "--list", autoSelect: "--auto-select", all: "--all" } as const;

/** @throws Refused BAD_USER_INPUT for options that contradict each other or select nothing, INVALID_IDENTIFIER */
export function selectionOf(key: string | undefined, options: SelectionOptions): Selection {
  const { tenant, workflow, artifact, fromTier, toTier } = options;
  const modes = (["list", "autoSelect", "all"] as const).filter((mode) => options[mode]);
  if (key !== undefined || artifact !== undefined) {
    const many = modes[0] === undefined ? isFiltered(options) && "a filter" : MODES[modes[0]];
    if (many)
      throw bad(
        `${key === undefined ? "--artifact" : "KEY"} names one artifact, and ${many} selects several. Give one of them.`,
      );
    return { how: "one", key: artifactKeyOf(key, options) };
  }
  if (tenant === undefined) throw bad("Which artifacts? Give KEY (tenant/workflow/artifact), or --tenant.");
  requireIdentifier("tenantId", tenant, "--tenant");
  if (workflow !== undefined) requireIdentifier("workflowId", workflow, "--workflow");
  if (modes.length > 1) throw bad(`Give only one of ${Object.values(MODES).join(", ")}.`);
  const tiers = fromTier === undefined ? TIERS.filter((tier) => isHotter(toTier, tier)) : [fromTier];
  if (tiers.length === 0) throw bad("No tier is colder than COLD. Give a hotter --to-tier.");
  const where = { tenantId: tenant, workflowId: workflow, tiers, ...filterOf(options) };
  if (options.list) return { how: "list", where };
  if (options.autoSelect) return { how: "first", where };
  return { how: options.all || workflow !== undefined || isFiltered(options) ? "all" : "choose", where };
}

/** Returns the refusal when options select nothing and there is no terminal to choose at. */
export function nothingSelected(): Refused {
  return bad(
    "No artifacts are selected. Give KEY; or --workflow, --prefix, --older-than or --meta for all that match; or --all; or --list to see which can be restored.",
  );
}

function bad(message: string): Refused {
  return new Refused("BAD_USER_INPUT", message);
}
