import { existsSync } from "node:fs";
import type { Config } from "../../config/config.ts";
import { systemClock } from "../../engine/clock.ts";
import { BackupWatch } from "../../files/backup-lock.ts";
import { tryOwn } from "../../files/owner-lock.ts";
import { allowedOperations } from "../allowed-operations.ts";
import { openAuditKey } from "../audit-key.ts";
import { type OpeningPlan, planOpening, recoverSettings, settleSettings } from "../settings/settle.ts";
import { assembleStore, type OwnedParts, type SettledParts } from "./assemble-store.ts";
import { openDrivers } from "./open-drivers.ts";
import { type OpenStoreOptions, type Store, StoreOwnedError } from "./store.ts";
import { requireWhole, setOldLogAside } from "./store-files.ts";
import { prepareFolders } from "./store-folders.ts";

/**
 * Opens the store and holds the owner's lock until it is closed. Undoes its steps, the last one first, if one fails.
 *
 * @param given settings of the environment. A setting that belongs to the store comes from the store if it is stored there
 * @throws Refused NOT_FOUND, StoreOwnedError, StartProblem, ConfigError
 */
export async function openStore(given: Config, options: OpenStoreOptions): Promise<Store> {
  await using undo = new AsyncDisposableStack();
  const plan = planOpening(given, options.opening);
  const operations = await allowedOperations(given.allowedOperations);
  const owned = await ownStore(plan, options, undo);
  const settled = await openSettled(given, options, owned.preparedLogs, undo);
  const store = await assembleStore({ ...owned, ...settled, options, operations, undo });
  // From here on the store closes everything itself.
  undo.move();
  return store;
}

/** Prepares the folders and takes the owner's lock. `preparedLogs`: the audit log's folder; null: not known yet. */
async function ownStore(
  { config, paths, file }: OpeningPlan,
  { opening }: OpenStoreOptions,
  undo: AsyncDisposableStack,
): Promise<OwnedParts & { readonly preparedLogs: string | null }> {
  // A signing key that cannot be used is reported before anything is created.
  if (config.auditSigningKey !== null) await openAuditKey(config, paths, false);
  // Without config.json, a command that only uses a store does not know which log belongs to it.
  const preparedLogs = file !== null || opening !== "use" ? paths.logs : null;
  const problem = await prepareFolders(paths, { ...config, logs: preparedLogs !== null });
  // Without the lock's file no server holds the lock, and a file of this user would block the store's own user.
  if (problem !== null && !existsSync(paths.ownerLock)) throw problem;
  const lock = tryOwn(paths.ownerLock);
  if (lock === null) throw new StoreOwnedError(paths.root);
  undo.defer(() => lock.release());
  if (problem !== null) throw problem;
  await requireWhole(paths);
  const backupWatch = undo.use(new BackupWatch(paths.backupLock));
  await setOldLogAside(paths);
  return { lock, backupWatch, preparedLogs };
}

/**
 * Opens the drivers by the stored settings and settles these. If the catalog has newer settings than config.json, it
 * starts again with those.
 */
async function openSettled(
  given: Config,
  { opening, clock = systemClock, migrationCopy }: OpenStoreOptions,
  preparedLogs: string | null,
  undo: AsyncDisposableStack,
): Promise<SettledParts> {
  let logs = preparedLogs;
  for (;;) {
    const plan = planOpening(given, opening);
    if (plan.file !== null && plan.paths.logs !== logs) {
      const problem = await prepareFolders(plan.paths, plan.config);
      if (problem !== null) throw problem;
      logs = plan.paths.logs;
    }
    await using opened = new AsyncDisposableStack();
    const [catalog, tiers] = await openDrivers(plan.config, plan.paths, migrationCopy, opened);
    if (await recoverSettings(catalog, plan)) continue;
    const settled = await settleSettings({ given, opening, clock, catalog, plan });
    undo.use(opened.move());
    return { config: plan.config, paths: plan.paths, settled, catalog, tiers };
  }
}
