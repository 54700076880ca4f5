import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import { storeFilesOf } from "../../backup/store-files.ts";
import { type Config, withStored } from "../../config/config.ts";
import type { StoreSettingTexts } from "../../config/store-settings.ts";
import { realPath } from "../../files/real-path.ts";
import { signingKeyIdAt } from "../audit-key.ts";
import { type StorePaths, storePaths } from "../embedded/store-files.ts";
import { StartProblem } from "../start-problem.ts";
import { type Contradiction, contradictions, textsOf } from "./changes.ts";
import { readStoreFile, type StoreFile, storeState } from "./config-file.ts";

/**
 * What a command may do to a store by opening it. use: nothing. create: create a missing store. rebuild: also open a store
 * whose catalog is lost. serve: also store the settings of the environment.
 */
export type Opening = "use" | "create" | "rebuild" | "serve";

/** Returns the stored settings of the store in this folder; none if there is no store, or if opening it will fail. */
export function storedTextsOf(storageBasePath: string): StoreSettingTexts {
  const { root, config } = storeFilesOf(realPath(storageBasePath), "");
  try {
    const settings = readStoreFile({ root, config })?.settings ?? null;
    return settings === null ? {} : textsOf(storageBasePath, settings);
  } catch {
    return {};
  }
}

/** @throws ConfigError */
export function withSettingsOf(config: Config, file: Pick<StoreFile, "settings"> | null): Config {
  const settings = file?.settings ?? null;
  return settings === null ? config : withStored(config, textsOf(config.storageBasePath, settings));
}

/** @throws Refused NOT_FOUND if there is no store that the command may open */
export function requireOpenable(config: Config, opening: Opening): void {
  const paths = storePaths(config);
  const state = storeState(paths);
  if (state === "none" && opening === "use") throw noStore(config);
  if (state === "lost" && (opening === "use" || opening === "create")) throw lostCatalog(config, paths);
}

export function noStore({ storageBasePath }: Pick<Config, "storageBasePath">): Refused {
  const shown = shownFolder(storageBasePath);
  const advice = hasTierFolders(storageBasePath)
    ? "`tierkeep serve` creates one, and `tierkeep reindex` also adopts the files in its tier folders."
    : "`tierkeep serve` creates one.";
  return new Refused("NOT_FOUND", `There is no store in ${shown} (STORAGE_BASE_PATH). ${advice}`);
}

/** Returns whether the folder contains a tree of tiers, of Tierkeep or of another system. */
export function hasTierFolders(storageBasePath: string): boolean {
  return TIERS.some((tier) => existsSync(join(storageBasePath, tier.toLowerCase())));
}

function lostCatalog({ storageBasePath }: Config, { catalog }: StorePaths): Refused {
  return new Refused(
    "NOT_FOUND",
    `The catalog of the store in ${shownFolder(storageBasePath)} is lost: ${catalog} is missing. \`tierkeep reindex\` rebuilds it from the tree of tiers.`,
  );
}

export function shownFolder(folder: string): string {
  return isAbsolute(folder) || /^\.\.?(?:\/|$)/.test(folder) ? folder : `./${folder}`;
}

/**
 * Rejects an environment whose settings differ from the store's. Does nothing for a store without settings.
 *
 * @throws StartProblem naming each setting with both values
 */
export function requireAgreement(config: Config, file: Pick<StoreFile, "settings"> | null): void {
  if (file?.settings == null) return;
  const found = contradictions(config, file.settings, signingKeyIdAt);
  if (found.length > 0) throw contradictionProblem(found, `store ${storePaths(config).root}`);
}

/** @param where the owner of the stored values, such as "store /srv/artifacts" */
export function contradictionProblem(found: readonly Contradiction[], where: string): StartProblem {
  const each = found.map(({ name, given, stored }) => `${name} is ${given}, but ${stored} is stored`);
  return new StartProblem(
    `The environment contradicts the settings of the ${where}: ${each.join("; ")}. Unset each named variable. To change a setting of a store, start \`tierkeep serve\` with the new value.`,
  );
}

/** Does the same with the settings on disk. @throws StartProblem */
export function requireStoreAgreement(config: Config): void {
  requireAgreement(config, readStoreFile(storePaths(config)));
}
