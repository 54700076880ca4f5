import type { Tierkeep } from "@tierkeep/sdk";
import { storePaths } from "../app/embedded/store-files.ts";
import { readStoreFile } from "../app/settings/config-file.ts";
import { shownFolder } from "../app/settings/store-opening.ts";
import type { Config } from "../config/config.ts";
import { firstOf } from "./output/first-of.ts";

/** Number of jobs to search, newest first, for a reindex. */
const MAX_JOBS = 1000;

/** Returns a warning for a store whose catalog was lost and has not been rebuilt; null: its catalog is complete. */
export async function lostCatalogNotice(config: Config, tierkeep: Tierkeep): Promise<string | null> {
  const lostAt = readStoreFile(storePaths(config))?.catalogLostAt ?? null;
  if (lostAt === null || (await isRebuilt(tierkeep))) return null;
  return `The catalog of the store in ${shownFolder(config.storageBasePath)} was lost (found at ${lostAt}). Artifacts written before are missing until \`tierkeep reindex\` has rebuilt it.`;
}

async function isRebuilt(tierkeep: Tierkeep): Promise<boolean> {
  const where = { types: ["LIFECYCLE_JOB_COMPLETED"], dryRun: false } as const;
  for await (const { jobId } of firstOf(tierkeep.lifecycleEventHistory({ where, first: 100 }), MAX_JOBS)) {
    const job = jobId === null ? null : await tierkeep.reindexJob({ id: jobId });
    if (job?.status === "SUCCEEDED") return true;
  }
  return false;
}
