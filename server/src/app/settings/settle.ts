import { hostname } from "node:os";
import { claimLog, LogOfAnotherStoreError, type LogOwner, requireOwnLog } from "../../audit/log-owner.ts";
import type { SigningKey } from "../../audit/signing-key.ts";
import type { Catalog } from "../../catalog/catalog.ts";
import type { Config } from "../../config/config.ts";
import type { Clock } from "../../engine/clock.ts";
import { realPath } from "../../files/real-path.ts";
import { openAuditKey } from "../audit-key.ts";
import { type StorePaths, storePaths } from "../embedded/store-files.ts";
import { StartProblem } from "../start-problem.ts";
import { changeMessage, differences, initialSettings, withGiven } from "./changes.ts";
import { newStoreFile, readStoreFile, type StoreFile, writeStoreFile } from "./config-file.ts";
import { noStore, type Opening, requireAgreement, requireOpenable, withSettingsOf } from "./store-opening.ts";
import { StoreSettings, settingsChange } from "./store-settings.ts";
import { parsedSettings, type StoredSettings } from "./stored.ts";

/** How to open a store, by its config.json and the environment. */
export interface OpeningPlan {
  readonly config: Config;
  readonly paths: StorePaths;
  /** Null: there is no config.json. */
  readonly file: StoreFile | null;
}

/** Checks whether and how the store can be opened, without changing it. @throws Refused NOT_FOUND, StartProblem, ConfigError */
export function planOpening(given: Config, opening: Opening): OpeningPlan {
  requireOpenable(given, opening);
  const { root, config: path } = storePaths(given);
  const file = readStoreFile({ root, config: path });
  if (file !== null && file.settings === null && opening !== "serve") throw withoutSettings(root);
  if (opening !== "serve") requireAgreement(given, file);
  const config = withSettingsOf(given, file);
  const paths = storePaths(config);
  requireLogOf(paths, file?.storeId ?? "");
  return { config, paths, file };
}

/**
 * Replaces config.json if the catalog has newer settings, because a crash came between the two writes.
 *
 * @returns whether it did, so that the store must be opened again with those
 */
export async function recoverSettings(catalog: Catalog, { paths, file }: OpeningPlan): Promise<boolean> {
  const committed = settingsIn(await catalog.settings());
  const known = file?.settings ?? null;
  if (committed === null || (known !== null && known.revision > committed.revision)) return false;
  if (JSON.stringify(committed) === JSON.stringify(known)) return false;
  await writeStoreFile(paths, { ...(file ?? newStoreFile()), settings: committed });
  return true;
}

/** A store whose settings are in force and stored equally in catalog and config.json. */
export interface SettledStore {
  readonly file: StoreFile;
  readonly settings: StoreSettings;
  readonly auditKey: SigningKey;
  /** True if there was no store before. */
  readonly isNew: boolean;
}

export interface SettleOptions {
  readonly given: Config;
  readonly opening: Opening;
  readonly clock: Clock;
  readonly catalog: Catalog;
  readonly plan: OpeningPlan;
}

/**
 * Stores the settings of a new store, applies settings of the environment for `serve`, and claims the audit log's folder
 * for the store. A change is committed to the catalog with its event first; then config.json is replaced. The caller owns
 * the store.
 *
 * @throws Refused NOT_FOUND, StartProblem
 */
export async function settleSettings(options: SettleOptions): Promise<SettledStore> {
  const { given, opening, clock, catalog, plan } = options;
  const { config, paths } = plan;
  const committed = settingsIn(await catalog.settings());
  const stored = plan.file?.settings ?? null;
  const isNew = plan.file === null && (await catalog.lastSeq()) === 0;
  if (isNew && opening === "use") throw noStore(given);
  if (stored === null && !isNew && opening !== "serve") throw withoutSettings(paths.root);

  const { key, made } = await openAuditKey(config, paths, stored === null || opening === "serve");
  if (stored !== null && key.id !== stored.auditKey) {
    const isChange = opening === "serve" && (made || given.given.AUDIT_SIGNING_KEY !== undefined);
    if (!isChange) throw otherKey(config, paths, key.id, stored.auditKey);
  }
  const now = clock.now();
  const { settings, changes } =
    stored === null
      ? { settings: initialSettings(given, key.id), changes: [] }
      : opening === "serve"
        ? withGiven(given, stored, key.id, now)
        : { settings: stored, changes: [] };
  // Restoring a backup to another path changes only config.json.
  const unlogged = committed && stored ? differences(paths.root, committed, stored) : [];
  if (JSON.stringify(settings) !== JSON.stringify(committed)) {
    const events = [...unlogged, ...changes].map((change) => ({
      type: "SETTING_CHANGED" as const,
      message: changeMessage(change, settings),
    }));
    await catalog.commit(settingsChange(settings, { at: now, actor: "system" }, events));
  }
  const before = plan.file ?? newStoreFile();
  const isLost = stored !== null && committed === null;
  const file = {
    ...before,
    storeId: before.storeId ?? newStoreFile().storeId,
    settings,
    catalogLostAt: isLost ? new Date(now).toISOString() : await stillLost(catalog, before),
  };
  if (JSON.stringify(file) !== JSON.stringify(plan.file)) await writeStoreFile(paths, file);
  await claimLogOf(paths, file.storeId ?? "");
  return {
    file,
    settings: new StoreSettings({ catalog, clock, paths, file, settings, policy: config.retention, changes }),
    auditKey: key,
    isNew,
  };
}

/** Returns when the catalog was lost; null: never, or a live reindex has succeeded since. */
async function stillLost(catalog: Catalog, { catalogLostAt }: StoreFile): Promise<string | null> {
  if (catalogLostAt === null) return null;
  const ended = await catalog.listEvents({ types: ["LIFECYCLE_JOB_COMPLETED"], dryRun: false }, "ASC", {
    after: null,
    before: null,
    limit: 1000,
    backward: false,
  });
  const jobs = await catalog.jobs(ended.flatMap(({ jobId }) => (jobId === null ? [] : [jobId])));
  const isRebuilt = jobs.some((row) => row?.job.kind === "reindex" && row.job.status === "SUCCEEDED");
  return isRebuilt ? null : catalogLostAt;
}

function settingsIn(text: string | null): StoredSettings | null {
  if (text === null) return null;
  const settings = parsedSettings(JSON.parse(text));
  if (settings === null) {
    throw new StartProblem(
      "The settings in the catalog cannot be read by this version of tierkeep. Use the newer version that wrote them.",
    );
  }
  return settings;
}

function ownerOf({ root }: StorePaths, storeId: string): LogOwner {
  return { store: storeId, path: realPath(root), host: hostname() };
}

/** @throws StartProblem if the log's folder belongs to another store */
export function requireLogOf(paths: StorePaths, storeId: string): void {
  try {
    requireOwnLog(paths.logs, ownerOf(paths, storeId));
  } catch (error) {
    throw logProblem(error, paths);
  }
}

/** @throws StartProblem */
async function claimLogOf(paths: StorePaths, storeId: string): Promise<void> {
  try {
    await claimLog(paths.logs, ownerOf(paths, storeId));
  } catch (error) {
    throw logProblem(error, paths);
  }
}

function logProblem(error: unknown, { root, logs }: StorePaths): unknown {
  if (!(error instanceof LogOfAnotherStoreError)) return error;
  return new StartProblem(
    `LOG_DIR ${logs} ${error.message}. Name another folder for the audit log of ${root} in LOG_DIR${error.remedy === null ? "" : `; ${error.remedy}`}.`,
  );
}

function withoutSettings(root: string): StartProblem {
  return new StartProblem(
    `The store ${root} was created by an earlier version, which did not store settings. Start \`tierkeep serve\` once with the settings for the store.`,
  );
}

function otherKey(
  { auditSigningKey }: Config,
  { auditKey }: StorePaths,
  found: string,
  stored: string,
): StartProblem {
  const path = auditSigningKey ?? auditKey;
  return new StartProblem(
    `AUDIT_SIGNING_KEY: ${path} contains the key ${found}, but the store's audit log is signed by the key ${stored}. Restore that key; or start \`tierkeep serve\` with AUDIT_SIGNING_KEY=${auditSigningKey ?? "own"} to sign the log with this key from now on.`,
  );
}
