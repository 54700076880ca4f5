import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { dueBefore, STEP_RULES } from "@tierkeep/schema/domain/policy";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { type ErrorCode, Refused } from "@tierkeep/schema/domain/refusals";
import type { LifecycleJob, ReindexJob } from "@tierkeep/schema/services/jobs";
import { type OpenedEngine, openEngine } from "../../src/app/embedded/open-engine.ts";
import type { Durability } from "../../src/catalog/sqlite/connection.ts";
import { InlineSqliteCatalog } from "../../src/catalog/sqlite/open-sqlite-catalog.ts";
import type { Clock } from "../../src/engine/clock.ts";
import type { RandomBytes } from "../../src/engine/new-object.ts";
import { type Disk, type DiskStep, realDisk, withoutFsync } from "../../src/files/disk.ts";
import { openTiers, type Tiers } from "../../src/tiers/open-tiers.ts";
import { plannedItem } from "../catalog/sample-changes.ts";
import type { FaultInjector } from "../faults/fault-injector.ts";
import type { Loss } from "../tiers/crash-loss.ts";
import { LossyDisk } from "../tiers/lossy-disk.ts";
import { type CrashPoint, SimulatedCrash } from "./crash-point.ts";
import { crashingCatalog } from "./crashing-catalog.ts";
import { type Command, contentOf, POLICY } from "./expected.ts";

export const MODEL_ADMIN: Principal = { actor: "model", role: "ADMIN", tenants: null };

export function catalogPath(root: string): string {
  return join(root, ".tierkeep", "catalog.db");
}

/** How a process runs, and how it may crash. */
export interface ProcessOptions {
  readonly clock: Clock;
  readonly crashPoint: CrashPoint;
  /** Source of all random names. Two processes of a store must not use the same sequence. Default: the system's. */
  readonly random?: RandomBytes | undefined;
  /** The unsynced data that is lost when it ends. */
  readonly lose: Loss;
  /** A sync that is left out. */
  readonly omit?: DiskStep | undefined;
  /** Makes calls of the disk and the catalog fail. Replaces the lossy disk and its counted steps. */
  readonly injector?: FaultInjector | undefined;
  /** Whether syncs of the catalog, and of a disk with faults, wait for the real disk. Default "os". */
  readonly durability?: Durability | undefined;
}

interface Parts {
  readonly disk: LossyDisk;
  readonly tiers: Tiers;
  readonly catalog: InlineSqliteCatalog;
  readonly clock: Clock;
  readonly crashPoint: CrashPoint;
  readonly random: RandomBytes;
}

/**
 * A simulated process on a store: the real engine on the real drivers, all on the calling thread, with a crash point at
 * each of their steps. The next process starts from the files that it leaves.
 */
export class SimulatedProcess {
  readonly engine: OpenedEngine;
  readonly tiers: Tiers;
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    const { tiers, catalog, clock, crashPoint, random } = parts;
    this.#parts = parts;
    this.tiers = tiers;
    this.engine = openEngine({
      catalog: crashingCatalog(catalog, crashPoint),
      clock,
      random,
      stores: tiers.stores,
      storeIds: tiers.storeIds,
      storeKey: random(16),
      owner: random(8).toString("hex"),
      maxArtifactBytes: null,
      purgeRefusal: async () => null,
      onProblem: () => {},
      upkeepByItself: false,
    });
  }

  /** Starts a process on an existing folder. Resolves with null if it crashed before it was ready. */
  static async begin(root: string, fate: ProcessOptions): Promise<SimulatedProcess | null> {
    const { clock, crashPoint, random = randomBytes, lose, omit, injector, durability = "os" } = fate;
    const disk = new LossyDisk(root, { onStep: (step) => crashPoint.step(step) });
    try {
      const tiers = await openTiers({
        root,
        publishTree: true,
        durability: "fsync",
        disk:
          injector?.disk(durability === "fsync" ? realDisk : withoutFsync(realDisk)) ?? omitting(disk, omit),
      });
      const catalog = InlineSqliteCatalog.open({
        path: catalogPath(root),
        durability,
        faults: injector?.writing,
        readFaults: injector?.reading,
        probeDelaysMs: [0, 0],
      });
      return new SimulatedProcess({ disk, tiers, catalog, clock, crashPoint, random });
    } catch (error) {
      disk.crash(lose);
      if (error instanceof SimulatedCrash) return null;
      throw error;
    }
  }

  /** Runs a command. Resolves with the code of its refusal, or null. @throws SimulatedCrash */
  async take(command: Command): Promise<ErrorCode | null> {
    try {
      await this.attempt(command);
      return null;
    } catch (error) {
      if (error instanceof Refused && !this.#parts.crashPoint.crashed) return error.code;
      throw this.#parts.crashPoint.crashed
        ? new SimulatedCrash("crashed during the command", { cause: error })
        : error;
    }
  }

  /** Settles, publishes and collects until no work is left. @throws SimulatedCrash */
  async drain(): Promise<void> {
    const clean = await this.engine.drain();
    this.#parts.crashPoint.throwIfCrashed();
    if (!clean) throw new Error("The drain failed without a fault.");
  }

  /** Ends the process as a crash does, and loses this unsynced data. */
  async end(lose: Loss): Promise<void> {
    this.#parts.crashPoint.crash();
    this.#parts.catalog.kill();
    this.#parts.disk.crash(lose);
    await this.tiers.close();
  }

  /** Runs a command. Rejects as the engine does. */
  async attempt(command: Command): Promise<void> {
    const { artifacts } = this.engine;
    switch (command.do) {
      case "write": {
        const { key, tier, seed, sizeBytes, ifAbsent = false, idempotencyKey } = command;
        const options = { ...key, tier, ifAbsent, contentType: null, metadata: { seed }, idempotencyKey };
        await artifacts.write(MODEL_ADMIN, options, contentOf(seed, sizeBytes));
        return;
      }
      case "aborted upload": {
        const options = { ...command.key, tier: "HOT" as const, contentType: null, metadata: {} };
        await artifacts.write(MODEL_ADMIN, options, abortedUpload(command.sizeBytes));
        return;
      }
      case "write with wrong checksum": {
        const content = contentOf(-1, command.sizeBytes);
        const checksum = createHash("sha256").update("something else").digest("hex");
        const options = { ...command.key, tier: "HOT" as const, contentType: null, metadata: {}, checksum };
        await artifacts.write(MODEL_ADMIN, options, content);
        return;
      }
      case "promote":
      case "restore":
        await artifacts[command.do](MODEL_ADMIN, { ...command.key, toTier: command.toTier, dryRun: false });
        return;
      case "purge":
        await artifacts.purge(MODEL_ADMIN, { ...command.key, dryRun: false });
        return;
      case "adopt":
        await this.#adopt();
        return;
      case "age":
        await this.#age(command.step);
    }
  }

  async #adopt(): Promise<void> {
    const { adopter } = this.engine;
    if (adopter === null) throw new Error("The store has no tree.");
    const jobId = await this.#startJob(this.#parts.clock.now(), "reindex");
    const entries = await adopter.view.walk(null, 1000);
    const job = { jobId, actor: "model", dryRun: false };
    await adopter.adopt(job, entries, new AbortController().signal, () => null);
    this.#parts.crashPoint.throwIfCrashed();
  }

  async #age(step: "PROMOTE_TO_WARM" | "PROMOTE_TO_COLD" | "PURGE"): Promise<void> {
    const { clock } = this.#parts;
    const now = clock.now();
    const jobId = await this.#startJob(now);
    const due = await this.engine.catalog.due(
      STEP_RULES[step].from,
      null,
      dueBefore(step, POLICY, now) ?? 0,
      null,
      100,
    );
    await this.engine.runBatch({
      kind: "runBatch",
      at: now,
      actor: "model",
      jobId,
      n: 1,
      step,
      from: 0,
      items: due.map(({ artifact }) => plannedItem(artifact)),
      policy: POLICY,
      storeIds: this.tiers.storeIds,
      failed: {},
      durationSeconds: 1,
    });
    await this.#parts.catalog.commit({
      kind: "finishJob",
      at: now,
      actor: "model",
      jobId,
      status: "SUCCEEDED",
      errorCode: null,
      error: null,
      durationSeconds: 1,
    });
  }

  /** Starts a job without a crash point, because the lifecycle commits jobs, not the engine. Ends running jobs first. */
  async #startJob(now: number, kind: "lifecycle" | "reindex" = "lifecycle"): Promise<string> {
    const { catalog, random } = this.#parts;
    for (const { job } of await catalog.runningJobs()) {
      await catalog.commit({
        kind: "finishJob",
        at: now,
        actor: "model",
        jobId: job.id,
        status: "CANCELLED",
        errorCode: null,
        error: null,
        durationSeconds: 1,
      });
    }
    const id = random(8).toString("hex");
    await catalog.commit({
      kind: "startJob",
      at: now,
      actor: "model",
      input: null,
      expected: null,
      job: jobOf(kind, id, now),
    });
    return id;
  }
}

function jobOf(kind: "lifecycle" | "reindex", id: string, now: number): LifecycleJob | ReindexJob {
  const facts = {
    id,
    status: "RUNNING",
    dryRun: false,
    startedAt: now,
    finishedAt: null,
    durationSeconds: null,
    progress: 0,
    totalErrors: 0,
    error: null,
    tenantId: null,
  } as const;
  return kind === "lifecycle"
    ? {
        kind,
        ...facts,
        asOf: now,
        steps: ["PROMOTE_TO_WARM", "PROMOTE_TO_COLD", "PURGE"],
        promotedToWarm: 0,
        promotedToCold: 0,
        purged: 0,
        retentionPolicy: POLICY,
      }
    : {
        kind,
        ...facts,
        adoptedCount: 0,
        presentCount: 0,
        quarantinedCount: 0,
        leftCount: 0,
        confirmedAt: null,
      };
}

/** Yields this many bytes, then fails like an upload whose client disconnects. */
async function* abortedUpload(sizeBytes: number): AsyncGenerator<Uint8Array> {
  yield contentOf(-1, sizeBytes);
  throw new Refused("BAD_USER_INPUT", "the client disconnected");
}

function omitting(disk: Disk, omit: DiskStep | undefined): Disk {
  return {
    ...disk,
    fsync: (step, descriptor) => step !== omit && disk.fsync(step, descriptor),
    fsyncDirectory: (step, path) => step !== omit && disk.fsyncDirectory(step, path),
  };
}
