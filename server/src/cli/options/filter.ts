import type { ArtifactFilter } from "@tierkeep/sdk";
import type { Command } from "commander";
import { type MetadataOptions, metadataOf, metadataOptions } from "./metadata.ts";
import { daysOf } from "./values.ts";

/** Options that filter artifacts, in addition to tenant and workflow. */
export interface FilterOptions extends MetadataOptions {
  readonly prefix?: string | undefined;
  /** In days. */
  readonly olderThan?: number | undefined;
}

export function filterOptions(command: Command): Command {
  command
    .option("--prefix <text>", "only artifacts whose id starts with this")
    .option("--older-than <time>", "only artifacts older than this, such as 30d, 12h, 90m or 2w", daysOf);
  return metadataOptions(command, "only artifacts with this in their metadata");
}

/** @throws Refused as metadataOf does */
export function filterOf({ prefix, olderThan, ...metadata }: FilterOptions): ArtifactFilter {
  return { artifactIdPrefix: prefix, olderThanDays: olderThan, metadata: metadataOf(metadata) };
}

/** Returns whether any of these options was given. */
export function isFiltered({ prefix, olderThan, meta, metadata }: FilterOptions): boolean {
  return [prefix, olderThan, meta, metadata].some((option) => option !== undefined);
}
