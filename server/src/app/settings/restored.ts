import { resolve } from "node:path";
import type { BackupSettings, RestoredSettings } from "../../backup/restore-backup.ts";
import type { Config } from "../../config/config.ts";
import { signingKeyIdAt } from "../audit-key.ts";
import { storePaths } from "../embedded/store-files.ts";
import { contradictions, initialSettings, storedText, textsOf } from "./changes.ts";
import { newStoreFile, parsedStoreFile, storeFileText } from "./config-file.ts";
import { NOTICE_MS } from "./retention-in-force.ts";
import { requireLogOf } from "./settle.ts";
import { contradictionProblem } from "./store-opening.ts";
import type { StoredSettings } from "./stored.ts";

/** Added to the revision, so that it is above that of any change during the backup. */
const RESTORED_REVISIONS = 2;

/**
 * Returns the settings of a store that will be restored: those of the backup, with LOG_DIR and AUDIT_SIGNING_KEY of the
 * environment if they are set.
 *
 * @param now ms since the epoch
 * @throws StartProblem for an environment that contradicts the backup, and for a log that belongs to another store
 */
export function restoredSettings(
  config: Config,
  { manifest, config: text, auditKey }: BackupSettings,
  now: number,
): RestoredSettings {
  const { storageBasePath: root, given } = config;
  const paths = storePaths(config);
  const file = parsedStoreFile(text, paths);
  const { storeId } = newStoreFile();
  const settings =
    file.settings === null
      ? initialSettings(config, signingKeyIdAt(config.auditSigningKey ?? auditKey) ?? "")
      : adapted(config, file.settings, Date.parse(manifest.takenAt), now);
  const restored = { ...file, storeId: file.storeId ?? storeId, settings };
  const logs = resolve(textsOf(root, settings).LOG_DIR ?? given.LOG_DIR ?? config.logDir);
  requireLogOf({ ...paths, logs }, restored.storeId ?? "");
  return { config: storeFileText(restored), logs };
}

function adapted(config: Config, settings: StoredSettings, takenAt: number, now: number): StoredSettings {
  const { storageBasePath: root, given } = config;
  const found = contradictions(config, settings, signingKeyIdAt).filter(({ name }) => name !== "LOG_DIR");
  if (found.length > 0) throw contradictionProblem(found, "backup");
  const values = { ...settings.values };
  for (const name of ["LOG_DIR", "AUDIT_SIGNING_KEY"] as const) {
    const text = given[name];
    if (text !== undefined) values[name] = { value: storedText(root, name, text), from: "environment" };
  }
  // A shortened retention that was pending during the backup waits for the full time again.
  const heldRetention = settings.heldRetention
    .filter(({ until }) => Date.parse(until) > takenAt)
    .map(({ value, until }) => ({
      value,
      until: new Date(Math.max(Date.parse(until), now + NOTICE_MS)).toISOString(),
    }));
  const adapted = { ...settings, values, heldRetention };
  const isSame = JSON.stringify(adapted) === JSON.stringify(settings);
  return isSame ? settings : { ...adapted, revision: settings.revision + RESTORED_REVISIONS };
}
