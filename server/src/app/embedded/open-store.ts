import { randomBytes } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import type { Services } from "@tierkeep/schema/services/services";
import type { Logger } from "pino";
import packageJson from "../../../package.json" with { type: "json" };
import { AuditExporter } from "../../audit/exporter.ts";
import type { Catalog } from "../../catalog/catalog.ts";
import type { Config } from "../../config/config.ts";
import { type Clock, systemClock } from "../../engine/clock.ts";
import { BackupWatch } from "../../files/backup-lock.ts";
import { FolderWatch } from "../../files/folder-watch.ts";
import { type OwnerLock, tryOwn } from "../../files/owner-lock.ts";
import { SpaceReserve, SpaceReserveKeeper } from "../../files/space-reserve.ts";
import type { OwnerIdentity } from "../../http/auth/owner-challenge.ts";
import { createHandler, type Handler } from "../../http/handler.ts";
import type { Health } from "../../http/monitoring/health.ts";
import type { Metric } from "../../http/monitoring/metrics.ts";
import { Scrubber } from "../../integrity/scrubber.ts";
import { type Schedule, startSchedule } from "../../jobs/schedule.ts";
import type { Tiers } from "../../tiers/open-tiers.ts";
import { allowedOperations } from "../allowed-operations.ts";
import { openAuditKey } from "../audit-key.ts";
import { openAuthentication } from "../authentication.ts";
import { jobLog } from "../job-log.ts";
import { lifecycleMetrics } from "../metrics/lifecycle.ts";
import { OperationMetrics } from "../metrics/operations.ts";
import { processMetrics } from "../metrics/process-metrics.ts";
import { scrubMetrics } from "../metrics/scrub.ts";
import { contentMetrics, diskMetrics, storeMetrics } from "../metrics/store.ts";
import { planOpening, recoverSettings, type SettledStore, settleSettings } from "../settings/settle.ts";
import type { Opening } from "../settings/store-opening.ts";
import type { StoreSettings } from "../settings/store-settings.ts";
import { StartProblem } from "../start-problem.ts";
import { openDrivers } from "./open-drivers.ts";
import { type OpenedEngine, openEngine } from "./open-engine.ts";
import { openServices } from "./open-services.ts";
import { requireWhole, type StorePaths, setOldLogAside, tenantsInTree } from "./store-files.ts";
import { prepareFolders } from "./store-folders.ts";

export interface OpenStoreOptions {
  /** What opening may do to the store. */
  readonly opening: Opening;
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
  readonly log: Logger;
  /** Runs LIFECYCLE_SCHEDULE, and the scrubber. Default: false. */
  readonly schedule?: boolean | undefined;
  /** Lines of the log that could not be written so far. Default: none. */
  readonly droppedLogLines?: (() => number) | undefined;
}

/** An embedded store that this process owns, with everything that works on it. */
export interface Store {
  readonly paths: StorePaths;
  readonly identity: OwnerIdentity;
  /** The settings that are in force. */
  readonly config: Config;
  readonly settings: StoreSettings;
  /** True where there was no store before. */
  readonly isNew: boolean;
  /** When a start found the catalog missing, ISO 8601; null: never, or a reindex has rebuilt it. */
  readonly catalogLostAt: string | null;
  /** Tenants that have folders in the published tree while the catalog has none: they wait for a reindex. */
  readonly unindexedTenants: number;
  readonly services: Services;
  readonly engine: OpenedEngine;
  readonly handler: Handler;
  /** First part of a shutdown: jobs pause, and those who wait for them are answered with the RUNNING job. */
  pauseWork(): Promise<void>;
  /** Settles, publishes and exports what it can until `deadline` (ms since the epoch), then lets go of the store. */
  close(deadline?: number): Promise<void>;
}

/** Another process owns the store. */
export class StoreOwnedError extends StartProblem {
  constructor(root: string) {
    super(`The store ${root} belongs to another process.`);
  }
}

const CLOSE_MS = 30_000;

/**
 * The composition root: the only place that knows every part. Takes the owner's lock for as long as the store is open.
 *
 * @param given the settings of the environment; those that belong to the store come from the store where it has them
 * @throws Refused NOT_FOUND, StoreOwnedError, StartProblem, ConfigError
 */
export async function openStore(given: Config, options: OpenStoreOptions): Promise<Store> {
  const { opening, clock = systemClock } = options;
  const undo: (() => unknown)[] = [];
  try {
    const first = planOpening(given, opening);
    const operations = await allowedOperations(given.allowedOperations);
    // A key that cannot be used is told of before anything is made.
    if (first.config.auditSigningKey !== null) await openAuditKey(first.config, first.paths, false);
    // Which log is the store's is not known to a command that only uses one without its config.json.
    let logs = first.file !== null || opening !== "use" ? first.paths.logs : null;
    const foreign = await prepareFolders(first.paths, { ...first.config, logs: logs !== null });
    // Without the file no server has the lock, and this user's file would be in the way of the owner's.
    if (foreign !== null && !existsSync(first.paths.ownerLock)) throw foreign;
    const lock = tryOwn(first.paths.ownerLock);
    if (lock === null) throw new StoreOwnedError(first.paths.root);
    undo.push(() => lock.release());
    if (foreign !== null) throw foreign;
    await requireWhole(first.paths);
    const backupWatch = new BackupWatch(first.paths.backupLock);
    undo.push(() => backupWatch[Symbol.dispose]());
    await setOldLogAside(first.paths);
    for (;;) {
      const plan = planOpening(given, opening);
      if (plan.file !== null && plan.paths.logs !== logs) {
        const problem = await prepareFolders(plan.paths, plan.config);
        if (problem !== null) throw problem;
        logs = plan.paths.logs;
      }
      const drivers: (() => unknown)[] = [];
      undo.push(() => undone(drivers));
      const [catalog, tiers] = await openDrivers(plan.config, plan.paths, drivers);
      if (await recoverSettings(catalog, plan)) {
        await undone(drivers);
        continue;
      }
      const settled = await settleSettings({ given, opening, clock, catalog, plan });
      const { config, paths } = plan;
      return await assemble({
        config,
        paths,
        options,
        lock,
        backupWatch,
        settled,
        operations,
        catalog,
        tiers,
        undo,
      });
    }
  } catch (error) {
    await undone(undo);
    throw error;
  }
}

/** Takes back what was opened, the last one first. Nothing is taken back twice. */
async function undone(steps: (() => unknown)[]): Promise<void> {
  for (const step of steps.splice(0).reverse()) await step();
}

interface Parts {
  readonly config: Config;
  readonly paths: StorePaths;
  readonly options: OpenStoreOptions;
  readonly lock: OwnerLock;
  readonly backupWatch: BackupWatch;
  readonly settled: SettledStore;
  readonly operations: ReadonlySet<string> | null;
  readonly catalog: Catalog;
  readonly tiers: Tiers;
  readonly undo: (() => unknown)[];
}

async function assemble({
  config,
  paths,
  options,
  lock,
  backupWatch,
  settled,
  operations,
  catalog,
  tiers,
  undo,
}: Parts): Promise<Store> {
  const { log, clock = systemClock } = options;
  const { settings, auditKey, isNew } = settled;
  const { storeKey, catalogLostAt } = settled.file;
  const identity = {
    instance: randomBytes(16).toString("hex"),
    token: randomBytes(32).toString("base64url"),
  };
  const onProblem = (message: string, error?: unknown) => log.warn({ err: error }, message);

  let schedule: Schedule | null = null;
  const keeper = new SpaceReserveKeeper(paths.spaceReserve);
  undo.push(() => keeper.stop());
  const spaceReserve = new SpaceReserve(paths.spaceReserve);
  const audit = new AuditExporter({
    catalog,
    directory: paths.logs,
    key: auditKey,
    segmentBytes: config.auditFileBytes,
    onProblem,
    // On another disk the log would gain nothing by it.
    ...(onOneDisk(paths.own, paths.logs) && { makeRoom: () => spaceReserve.release() }),
  });
  undo.push(() => audit.close());
  const engine = openEngine({
    catalog,
    clock,
    stores: tiers.stores,
    storeOf: (tier) => tiers.storeOf(tier),
    storeKey,
    owner: identity.instance,
    maxArtifactBytes: config.maxArtifactBytes,
    auditReads: config.auditReads,
    purgeRefusal: () => audit.purgeRefusal(),
    mayCollect: () => !backupWatch.isHeld(),
    onProblem,
  });
  undo.push(() => engine.close(Date.now()));
  const logged = jobLog(log);
  const performed = new OperationMetrics();
  const ofProcess = options.schedule ? [processMetrics()] : [];
  const { services, jobs, keys, urls } = openServices({
    config,
    policy: () => settings.policy(),
    catalog,
    engine,
    clock,
    storeKey,
    server: {
      version: packageJson.version,
      authentication: config.auth !== null,
      schedule: options.schedule ? config.lifecycleSchedule : null,
      nextRunAt: () => schedule?.next() ?? null,
      graphiql: config.graphiql,
    },
    onProblem,
    onStarted: logged.onStarted,
    onEnded(job, actor) {
      logged.onEnded(job, actor);
      performed.jobEnded(job);
    },
  });
  const { scrubDays: days, scrubRate: bytesPerSecond } = config;
  const { checker } = engine;
  const scrubber =
    options.schedule && days !== null
      ? new Scrubber({ catalog, checker, clock, days, bytesPerSecond, onProblem })
      : null;
  const folder = new FolderWatch(paths.own);
  let closing = false;
  const checks = () => health({ catalog, folder, keeper, closing });
  const handler = createHandler({
    services: { ...services, artifacts: performed.counted(services.artifacts) },
    log,
    trusted: config,
    openSigned: (signed) => urls.open(signed),
    authenticate: await openAuthentication(config, identity.token, keys),
    limits: {
      ...config.limits,
      surface: { graphiql: config.graphiql, introspection: config.introspection, operations },
    },
    identity,
    confirmRetention: () => settings.confirmRetention("local"),
    health: checks,
    metrics: async () => ({
      metrics: [
        ...(await contentMetrics(catalog)),
        ...(await diskMetrics(paths.root, acceptsWrites(await checks()))),
        ...(await lifecycleMetrics(catalog, schedule?.next() ?? null)),
        ...(await storeMetrics(catalog, engine, audit)),
        droppedLines(options.droppedLogLines?.() ?? 0),
        ...(await scrubMetrics(catalog, scrubber)),
      ],
      registries: [performed.registry, ...ofProcess],
    }),
  });
  await jobs.resumeJobs();
  const { lifecycleSchedule } = config;
  schedule = options.schedule && lifecycleSchedule ? startSchedule(lifecycleSchedule, jobs, onProblem) : null;

  const unindexedTenants = (await catalog.countTenants(null)) === 0 ? await tenantsInTree(paths) : 0;
  scrubber?.start();
  if (options.schedule) void warnOfCopies(engine, log);

  async function pauseWork(): Promise<void> {
    closing = true;
    schedule?.stop();
    await Promise.all([scrubber?.stop(), jobs.stop()]);
  }

  return {
    paths,
    identity,
    config,
    settings,
    isNew,
    catalogLostAt,
    unindexedTenants,
    services,
    engine,
    handler,
    pauseWork,
    async close(deadline = Date.now() + CLOSE_MS) {
      await pauseWork();
      handler.endSubscriptions();
      await engine.close(deadline);
      // What is left is exported at the next start.
      await Promise.race([audit.flush().catch(() => {}), until(deadline)]);
      // It waits for a write under way, which a disk that hangs never ends.
      await Promise.race([audit.close(), until(deadline)]);
      await keeper.stop();
      await catalog.close();
      await tiers.close();
      backupWatch[Symbol.dispose]();
      lock.release();
    },
  };
}

/** Readiness does not wait for it. */
async function warnOfCopies({ checker }: OpenedEngine, log: Logger): Promise<void> {
  if (await checker.looksCopied().catch(() => false))
    log.warn(
      "the files of the published tree are copies of the stored objects, as after `cp -r` or rsync without -H: the store takes its space twice. Link them again: tierkeep doctor --repair",
    );
}

function droppedLines(value: number): Metric {
  const help = "Lines of the server's log that stderr did not take.";
  return { name: "tierkeep_log_lines_dropped_total", help, type: "counter", value };
}

function onOneDisk(one: string, other: string): boolean {
  return statSync(one).dev === statSync(other).dev;
}

interface HealthParts {
  readonly catalog: Catalog;
  readonly folder: FolderWatch;
  readonly keeper: SpaceReserveKeeper;
  readonly closing: boolean;
}

async function health({ catalog, folder, keeper, closing }: HealthParts): Promise<Health> {
  const problem = await catalog.lastSeq().then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const shutdown = closing ? "the server is shutting down" : null;
  return {
    checks: { catalog: problem, storage: (await folder.problem()) ?? keeper.problem, shutdown },
  };
}

function acceptsWrites({ checks }: Health): boolean {
  return Object.values(checks).every((problem) => problem === null);
}

function until(deadline: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, deadline - Date.now())).unref());
}
