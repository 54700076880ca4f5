import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { dueBefore, STEP_RULES } from "@tierkeep/schema/domain/policy";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { type ErrorCode, Refused } from "@tierkeep/schema/domain/refusals";
import type { LifecycleJob, ReindexJob } from "@tierkeep/schema/services/jobs";
import { type OpenedEngine, openEngine } from "../../src/app/embedded/open-engine.ts";
import type { Durability, Faults } from "../../src/catalog/sqlite/connection.ts";
import { InlineSqliteCatalog } from "../../src/catalog/sqlite/open-sqlite-catalog.ts";
import type { Clock } from "../../src/engine/clock.ts";
import { requireWritten } from "../../src/engine/commit-all.ts";
import type { RandomBytes } from "../../src/engine/new-object.ts";
import { type Disk, type DiskStep, realDisk, withoutFsync } from "../../src/files/disk.ts";
import { openTiers, type Tiers } from "../../src/tiers/open-tiers.ts";
import type { Loss } from "../tiers/crash-loss.ts";
import { LossyDisk } from "../tiers/lossy-disk.ts";
import { type CrashPoint, SimulatedCrash } from "./crash-point.ts";
import { crashingCatalog } from "./crashing-catalog.ts";
import { type Command, contentOf, POLICY } from "./expected.ts";

export const somebody: Principal = { actor: "model", role: "ADMIN", tenants: null };

export function catalogPath(root: string): string {
  return join(root, ".tierkeep", "catalog.db");
}

/** How a life goes on and how it may end. */
export interface ProcessOptions {
  readonly clock: Clock;
  readonly crashPoint: CrashPoint;
  /** Where everything gets its name from; no two lives of a store from the same. Default: the system's. */
  readonly random?: RandomBytes | undefined;
  /** What of the unsynced files goes with it when it ends. */
  readonly lose: Loss;
  /** A sync that this life believes it makes, and does not. */
  readonly omit?: DiskStep | undefined;
  /** In place of a disk that loses and of steps that are counted: one of which calls fail, as those of its catalog's file do. */
  readonly trouble?: FaultInjector | undefined;
  /** Whether anything waits for the real disk: the catalog's syncs, and those of a disk in trouble. Default "os". */
  readonly durability?: Durability | undefined;
}

/** Makes calls fail. */
export interface FaultInjector {
  disk(disk: Disk): Disk;
  readonly writing: Faults;
  readonly reading: Faults;
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
 * One life of a process on a store: the real engine on the real drivers, all on the calling thread, with a fuse at
 * every step of theirs. What it leaves in its folder is what the next life starts from.
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
      storeOf: tiers.storeOf,
      storeKey: random(16),
      owner: random(8).toString("hex"),
      maxArtifactBytes: null,
      purgeRefusal: async () => null,
      onProblem: () => {},
      upkeepByItself: false,
    });
  }

  /** Null: it died before it was ready. `root` must exist. */
  static async begin(root: string, fate: ProcessOptions): Promise<SimulatedProcess | null> {
    const { clock, crashPoint, random = randomBytes, lose, omit, trouble, durability = "os" } = fate;
    const disk = new LossyDisk(root, { onStep: (step) => crashPoint.step(step) });
    try {
      const tiers = await openTiers({
        root,
        publishTree: true,
        durability: "fsync",
        disk:
          trouble?.disk(durability === "fsync" ? realDisk : withoutFsync(realDisk)) ?? omitting(disk, omit),
      });
      const catalog = InlineSqliteCatalog.open({
        path: catalogPath(root),
        durability,
        faults: trouble?.writing,
        readFaults: trouble?.reading,
        probeDelaysMs: [0, 0],
      });
      return new SimulatedProcess({ disk, tiers, catalog, clock, crashPoint, random });
    } catch (error) {
      disk.crash(lose);
      if (error instanceof SimulatedCrash) return null;
      throw error;
    }
  }

  /** The code of the refusal; null: it was done. @throws Died */
  async take(command: Command): Promise<ErrorCode | null> {
    try {
      await this.attempt(command);
      return null;
    } catch (error) {
      if (error instanceof Refused && !this.#parts.crashPoint.dead) return error.code;
      throw this.#parts.crashPoint.dead ? new SimulatedCrash("died meanwhile", { cause: error }) : error;
    }
  }

  /** Settles, publishes and collects until nothing is left. @throws Died */
  async drain(): Promise<void> {
    const clean = await this.engine.drain();
    this.#parts.crashPoint.alive();
    if (!clean) throw new Error("upkeep failed though nothing was in its way");
  }

  /** Ends as a process or a machine does that dies here; `lose` says what of the unsynced files goes with it. */
  async end(lose: Loss): Promise<void> {
    this.#parts.crashPoint.blow();
    this.#parts.catalog.kill();
    this.#parts.disk.crash(lose);
    await this.tiers.close();
  }

  /** As the engine answers. */
  async attempt(command: Command): Promise<void> {
    const { artifacts } = this.engine;
    switch (command.do) {
      case "write": {
        const { key, tier, seed, sizeBytes, ifAbsent = false, idempotencyKey } = command;
        const options = { ...key, tier, ifAbsent, contentType: null, metadata: { seed }, idempotencyKey };
        await artifacts.write(somebody, options, contentOf(seed, sizeBytes));
        return;
      }
      case "upload in vain": {
        const options = { ...command.key, tier: "HOT" as const, contentType: null, metadata: {} };
        await artifacts.write(somebody, options, brokenOff(command.sizeBytes));
        return;
      }
      case "write in vain": {
        const content = contentOf(-1, command.sizeBytes);
        const checksum = createHash("sha256").update("something else").digest("hex");
        const options = { ...command.key, tier: "HOT" as const, contentType: null, metadata: {}, checksum };
        await artifacts.write(somebody, options, content);
        return;
      }
      case "promote":
      case "restore":
        await artifacts[command.do](somebody, { ...command.key, toTier: command.toTier, dryRun: false });
        return;
      case "purge":
        await artifacts.purge(somebody, { ...command.key, dryRun: false });
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
    if (adopter === null) throw new Error("there is no tree");
    const jobId = await this.#startJob(this.#parts.clock.now(), "reindex");
    const entries = await adopter.view.walk(null, 1000);
    const job = { jobId, actor: "model", dryRun: false };
    await adopter.adopt(job, entries, new AbortController().signal);
    this.#parts.crashPoint.alive();
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
    const outcomes = await this.engine.takeSteps(
      due.map(({ artifact }) => ({
        kind: "lifecycleStep" as const,
        at: now,
        actor: "model",
        jobId,
        key: {
          tenantId: artifact.tenantId,
          workflowId: artifact.workflowId,
          artifactId: artifact.artifactId,
        },
        planned: {
          version: artifact.version,
          tier: artifact.tier,
          ageSince: artifact.ageSince,
          sizeBytes: artifact.sizeBytes,
        },
        step,
        asOf: now,
        policy: POLICY,
        dryRun: false,
      })),
    );
    requireWritten(outcomes);
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

  /** Jobs are the lifecycle's, not the engine's: their rows are made without a fuse, and an older one is ended first. */
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

/** Yields so many bytes, then fails as an upload does whose client goes away. */
async function* brokenOff(sizeBytes: number): AsyncGenerator<Uint8Array> {
  yield contentOf(-1, sizeBytes);
  throw new Refused("BAD_USER_INPUT", "the client went away");
}

function omitting(disk: Disk, omit: DiskStep | undefined): Disk {
  return {
    ...disk,
    fsync: (step, descriptor) => step !== omit && disk.fsync(step, descriptor),
    fsyncDirectory: (step, path) => step !== omit && disk.fsyncDirectory(step, path),
  };
}
