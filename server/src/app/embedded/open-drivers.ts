import type { Catalog } from "../../catalog/catalog.ts";
import { CatalogFormatError, openCatalog } from "../../catalog/open-catalog.ts";
import type { Config } from "../../config/config.ts";
import { openTiers, probeLinks, type Tiers } from "../../tiers/open-tiers.ts";
import { StartProblem } from "../start-problem.ts";
import type { StorePaths } from "./store-files.ts";

/**
 * Opens the catalog and the tiers' stores. Each that opens is added to `undo`, even if the other fails.
 *
 * @throws StartProblem
 */
export async function openDrivers(
  config: Config,
  paths: StorePaths,
  migrationCopy: boolean | undefined,
  undo: AsyncDisposableStack,
): Promise<[Catalog, Tiers]> {
  const { durability, publishTree } = config;
  const [catalog, tiers] = await Promise.allSettled([
    openCatalog({ path: paths.catalog, durability, spaceReserve: paths.spaceReserve, migrationCopy }),
    openTiers({ root: paths.root, publishTree, durability }),
  ]);
  if (catalog.status === "fulfilled") undo.defer(() => catalog.value.close());
  if (tiers.status === "fulfilled") undo.defer(() => tiers.value.close());
  if (catalog.status === "rejected") throw catalogProblem(catalog.reason, paths);
  if (tiers.status === "rejected") throw folderProblem(tiers.reason, paths);
  const links = publishTree
    ? probeLinks(paths.root).catch((error: unknown) => {
        throw folderProblem(error, paths);
      })
    : [];
  const [problem] = await links;
  if (problem !== undefined) {
    throw new StartProblem(
      `The tree of links under ${paths.root} cannot be published: ${problem.tier.toLowerCase()}: ${problem.problem}. Set PUBLISH_TREE=false to run without it.`,
    );
  }
  return [catalog.value, tiers.value];
}

function catalogProblem(error: unknown, paths: StorePaths): StartProblem {
  if (error instanceof CatalogFormatError) return new StartProblem(error.message);
  const message = error instanceof Error ? error.message : String(error);
  return new StartProblem(`The catalog ${paths.catalog} cannot be opened: ${message}.`);
}

function folderProblem(error: unknown, paths: StorePaths): StartProblem {
  return new StartProblem(`STORAGE_BASE_PATH ${paths.root}: ${(error as Error).message}`);
}
