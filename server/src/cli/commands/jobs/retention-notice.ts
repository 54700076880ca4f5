import process from "node:process";
import { storePaths } from "../../../app/embedded/store-files.ts";
import { readConfig } from "../../../app/read-config.ts";
import { readStoreFile } from "../../../app/settings/config-file.ts";
import { shownSettings } from "../../../app/settings/shown-settings.ts";
import { shownInstant } from "../../output/quantity.ts";

/** What to say of a shortened retention that purges do not use yet; null: there is none, or the store is remote. */
export function retentionNotice(url: string | undefined): string | null {
  if (url !== undefined || process.env.TIERKEEP_URL) return null;
  const config = readConfig();
  const settings = shownSettings(config.storageBasePath, readStoreFile(storePaths(config)), Date.now());
  const cold = settings.find(({ pending }) => pending !== null);
  if (cold?.pending == null) return null;
  const { inForce, until } = cold.pending;
  return `${cold.name} was shortened to ${cold.value}: purges still use ${inForce}, until ${shownInstant(until)} or until \`tierkeep settings confirm\`.`;
}
