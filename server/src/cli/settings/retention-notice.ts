import process from "node:process";
import { readConfig } from "../read-config.ts";
import { shownInstant } from "../render-quantity.ts";
import { storePaths } from "../store-files.ts";
import { shownSettings } from "./shown-settings.ts";
import { readStoreFile } from "./store-file.ts";

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
