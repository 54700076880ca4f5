import { requireIdentifier } from "@tierkeep/schema/domain/identifiers";
import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { ArtifactFilter } from "@tierkeep/sdk";
import type { Command } from "commander";
import { type FilterOptions, filterOf, filterOptions, isFiltered } from "../../options/filter.ts";
import { artifactKeyOf, type KeyOptions } from "../../options/key.ts";
import { tierOption } from "../../options/values.ts";

/** Options of a command that acts on one artifact, or on all that match a filter. */
export interface BulkOptions extends KeyOptions, FilterOptions {
  readonly fromTier?: Tier | undefined;
  readonly ifChecksum?: string | undefined;
  readonly all?: boolean | undefined;
}

export type BulkSelection =
  | { readonly how: "one"; readonly key: ArtifactKey }
  | { readonly how: "many"; readonly where: ArtifactFilter & { readonly tenantId: string } };

export const BULK_HELP = `
KEY, or --tenant with --workflow and --artifact, selects one artifact. --tenant with any of --workflow, --prefix,
--older-than, --meta and --from-tier selects all artifacts that match, and --tenant with --all every artifact of the
tenant. The command first lists the artifacts. It changes an artifact only if its content is still the same, and
reports the others as skipped.
`;

export function bulkOptions(command: Command): Command {
  command
    .argument("[key]", "tenant/workflow/artifact")
    .option("--tenant <tenant>", "the tenant, instead of KEY")
    .option("--workflow <workflow>", "only artifacts of this workflow")
    .option("--artifact <artifact>", "only this artifact; needs --tenant and --workflow")
    .addOption(tierOption("--from-tier <tier>", "only artifacts in this tier"))
    .option("--all", "all artifacts of the tenant");
  return filterOptions(command);
}

/** @throws Refused BAD_USER_INPUT for options that contradict each other or select nothing, INVALID_IDENTIFIER */
export function bulkSelectionOf(key: string | undefined, options: BulkOptions): BulkSelection {
  const { tenant, workflow, artifact, fromTier, ifChecksum, all } = options;
  if (key !== undefined || artifact !== undefined) {
    if (all || isFiltered(options)) {
      throw bad(
        `${key === undefined ? "--artifact" : "KEY"} names one artifact, and ${all ? "--all" : "a filter"} selects several. Give one of them.`,
      );
    }
    return { how: "one", key: artifactKeyOf(key, options) };
  }
  if (tenant === undefined) throw bad("Which artifacts? Give KEY (tenant/workflow/artifact), or --tenant.");
  if (ifChecksum !== undefined) throw bad("--if-checksum is for one artifact. Name the artifact with KEY.");
  requireIdentifier("tenantId", tenant, "--tenant");
  if (workflow !== undefined) requireIdentifier("workflowId", workflow, "--workflow");
  if (!all && workflow === undefined && fromTier === undefined && !isFiltered(options)) {
    throw bad(
      "No artifacts of the tenant are selected. Give --workflow, --prefix, --older-than, --meta or --from-tier, or --all for every artifact.",
    );
  }
  const tiers = fromTier === undefined ? undefined : [fromTier];
  return { how: "many", where: { ...filterOf(options), tenantId: tenant, workflowId: workflow, tiers } };
}

function bad(message: string): Refused {
  return new Refused("BAD_USER_INPUT", message);
}
