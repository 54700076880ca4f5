import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import type { Logger } from "pino";
import packageJson from "../../../package.json" with { type: "json" };
import { AuditExporter } from "../../audit/exporter.ts";
import type { Catalog } from "../../catalog/catalog.ts";
import type { Config } from "../../config/config.ts";
import { systemClock } from "../../engine/clock.ts";
import type { BackupWatch } from "../../files/backup-lock.ts";
import { FolderWatch } from "../../files/folder-watch.ts";
import type { OwnerLock } from "../../files/owner-lock.ts";
import { SpaceReserve, SpaceReserveKeeper } from "../../files/space-reserve.ts";
import { createHandler } from "../../http/handler.ts";
import { Scrubber } from "../../integrity/scrubber.ts";
import { type Schedule, startSchedule } from "../../jobs/schedule.ts";
import type { Tiers } from "../../tiers/open-tiers.ts";
import { openAuthentication } from "../authentication.ts";
import { jobLog } from "../job-log.ts";
import { monitorStore } from "../metrics/monitor-store.ts";
import { OperationMetrics } from "../metrics/operations.ts";
import type { SettledStore } from "../settings/settle.ts";
import { type OpenedEngine, openEngine } from "./open-engine.ts";
import { openServices } from "./open-services.ts";
import type { OpenStoreOptions, Store } from "./store.ts";
import { type StorePaths, tenantsInTree } from "./store-files.ts";

/** What makes this process the owner of the store. */
export interface OwnedParts {
  readonly lock: OwnerLock;
  readonly backupWatch: BackupWatch;
}

/** Settings in force, and the drivers that were opened by them. */
export interface SettledParts {
  readonly config: Config;
  readonly paths: StorePaths;
  readonly settled: SettledStore;
  readonly catalog: Catalog;
  readonly tiers: Tiers;
}

export interface StoreParts extends OwnedParts, SettledParts {
  readonly options: OpenStoreOptions;
  /** Documents that callers may send; null: any. */
  readonly operations: ReadonlySet<string> | null;
  /** Closes what this opens, if a later step fails. */
  readonly undo: AsyncDisposableStack;
}

const CLOSE_MS = 30_000;

/** The composition root: the only function that knows every part of a store. Starts background work. */
export async function assembleStore(parts: StoreParts): Promise<Store> {
  const { config, paths, options, lock, backupWatch, settled, operations, catalog, tiers, undo } = parts;
  const { log, clock = systemClock, droppedLogLines = () => 0 } = options;
  const { settings, auditKey, isNew } = settled;
  const { storeKey, catalogLostAt } = settled.file;
  const identity = {
    instance: randomBytes(16).toString("hex"),
    token: randomBytes(32).toString("base64url"),
  };
  const onProblem = (message: string, error?: unknown) => log.warn({ err: error }, message);

  let schedule: Schedule | null = null;
  const nextRunAt = () => schedule?.next() ?? null;
  const keeper = new SpaceReserveKeeper(paths.spaceReserve);
  undo.defer(() => keeper.stop());
  const spaceReserve = new SpaceReserve(paths.spaceReserve);
  const audit = new AuditExporter({
    catalog,
    directory: paths.logs,
    key: auditKey,
    segmentBytes: config.auditFileBytes,
    onProblem,
    // Releasing the space reserve frees nothing for a log on another disk.
    ...(onOneDisk(paths.own, paths.logs) && { makeRoom: () => spaceReserve.release() }),
  });
  undo.defer(() => audit.close());
  const engine = openEngine({
    catalog,
    clock,
    stores: tiers.stores,
    storeIds: tiers.storeIds,
    storeKey,
    owner: identity.instance,
    maxArtifactBytes: config.maxArtifactBytes,
    auditReads: config.auditReads,
    purgeRefusal: () => audit.purgeRefusal(),
    mayCollect: () => !backupWatch.isHeld(),
    onProblem,
  });
  undo.defer(() => engine.close(Date.now()));
  const logged = jobLog(log);
  const operationMetrics = new OperationMetrics();
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
      nextRunAt,
      graphiql: config.graphiql,
    },
    onProblem,
    onStarted: logged.onStarted,
    onEnded(job, actor) {
      logged.onEnded(job, actor);
      operationMetrics.jobEnded(job);
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
  const monitor = monitorStore({
    root: paths.root,
    catalog,
    engine,
    audit,
    folder,
    keeper,
    scrubber,
    operationMetrics,
    isServer: options.schedule === true,
    nextRunAt,
    droppedLogLines,
    isClosing: () => closing,
  });
  const handler = createHandler({
    services: { ...services, artifacts: operationMetrics.counted(services.artifacts) },
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
    ...monitor,
  });
  await jobs.resumeJobs();
  const { lifecycleSchedule } = config;
  schedule = options.schedule && lifecycleSchedule ? startSchedule(lifecycleSchedule, jobs, onProblem) : null;

  const unindexedTenants = (await catalog.countTenants(null)) === 0 ? await tenantsInTree(paths) : 0;
  scrubber?.start();
  // Readiness does not wait for this check.
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
      // The next start exports the rest.
      await Promise.race([audit.flush().catch(() => {}), until(deadline)]);
      // Waits for a write in progress, which never completes on a disk that hangs.
      await Promise.race([audit.close(), until(deadline)]);
      await keeper.stop();
      await catalog.close();
      await tiers.close();
      backupWatch[Symbol.dispose]();
      lock.release();
    },
  };
}

async function warnOfCopies({ checker }: OpenedEngine, log: Logger): Promise<void> {
  if (await checker.looksCopied().catch(() => false))
    log.warn(
      "the files of the published tree are copies of the stored objects, as after `cp -r` or rsync without -H: the store uses twice its space. Link them again: tierkeep doctor --repair",
    );
}

function onOneDisk(one: string, other: string): boolean {
  return statSync(one).dev === statSync(other).dev;
}

function until(deadline: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, deadline - Date.now())).unref());
}
