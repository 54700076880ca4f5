import type { Tierkeep } from "@tierkeep/sdk";
import { storePaths } from "../app/embedded/store-files.ts";
import { readStoreFile } from "../app/settings/config-file.ts";
import { shownFolder } from "../app/settings/store-opening.ts";
import type { Config } from "../config/config.ts";
import { firstOf } from "./output/first-of.ts";

/** How many jobs back a reindex is looked for. */
const JOBS = 1000;

/**
 * What to say of a store that is served with a new catalog since the old one was lost, and was not rebuilt.
 *
 * @returns null where the catalog is whole
 */
export async function lostCatalogNotice(config: Config, tierkeep: Tierkeep): Promise<string | null> {
  const lostAt = readStoreFile(storePaths(config))?.catalogLostAt ?? null;
  if (lostAt === null || (await isRebuilt(tierkeep))) return null;
  return `The catalog of the store in ${shownFolder(config.storageBasePath)} was lost (found at ${lostAt}). Artifacts written before are missing until \`tierkeep reindex\` has rebuilt it.`;
}

async function isRebuilt(tierkeep: Tierkeep): Promise<boolean> {
  const where = { types: ["LIFECYCLE_JOB_COMPLETED"], dryRun: false } as const;
  for await (const { jobId } of firstOf(tierkeep.lifecycleEventHistory({ where, first: 100 }), JOBS)) {
    const job = jobId === null ? null : await tierkeep.reindexJob({ id: jobId });
    if (job?.status === "SUCCEEDED") return true;
  }
  return false;
}
