import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import { requireIdentifier } from "@tierkeep/schema/domain/identifiers";
import { keyOf } from "@tierkeep/schema/domain/keys";
import type { Page, PageRequest } from "@tierkeep/schema/domain/pages";
import type { RetentionPolicy } from "@tierkeep/schema/domain/policy";
import type { Principal } from "@tierkeep/schema/domain/principal";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Repeatable } from "@tierkeep/schema/services/artifacts";
import type {
  Job,
  JobFilter,
  JobService,
  LifecycleItem,
  LifecycleJob,
  ReindexJob,
  ReindexOptions,
  RestoreArtifactsOptions,
  RestoreJob,
  RunLifecycleOptions,
  VerifyJob,
  VerifyOptions,
} from "@tierkeep/schema/services/jobs";
import type { JobSelection, JobStart } from "../catalog/catalog.ts";
import { UNSTARTED } from "../catalog/changes/jobs.ts";
import type { IdempotencyKey } from "../catalog/idempotency.ts";
import { countItems, listItems } from "../catalog/lifecycle-items.ts";
import { idempotencyKeyOf, type RequestFacts } from "../engine/idempotency.ts";
import type { Engine } from "../jobs/job-engine.ts";
import { lifecycleInput, requireWait, restoreInput, treeNotPublished } from "../jobs/job-input.ts";
import { JobRunner } from "../jobs/job-runner.ts";
import { BATCH_SIZE } from "../jobs/job-work.ts";
import {
  type NewJobFacts,
  newFacts,
  newLifecycleJob,
  newReindexJob,
  newRestoreJob,
  newVerifyJob,
} from "../jobs/new-jobs.ts";
import { connectionPage } from "./connection-page.ts";
import {
  type Cursors,
  keyPositions,
  keysetCursors,
  numberPositions,
  startPositions,
} from "./keyset-cursor.ts";
import { scanOwner, scoped, tenantScopeOf } from "./tenant-scope.ts";

/** How long a cancel waits for the job to end: about one batch. */
const CANCEL_WAIT_SECONDS = 2;

export interface JobsParts {
  readonly engine: Engine;
  /** The policy in force now, for every tenant. */
  readonly policy: () => RetentionPolicy;
  /** Whether live runs accept `asOf`, the instant at which ages are computed. */
  readonly allowAsOf: boolean;
  /** Reports background problems. Jobs continue without another call. */
  readonly onProblem: (message: string, error?: unknown) => void;
  /** Called when a job has been started. */
  readonly onStarted?: ((job: Job, actor: string) => void) | undefined;
  /** Called when a job has ended, with its final state. */
  readonly onEnded?: ((job: Job, actor: string) => void) | undefined;
  /** Number of artifacts that are processed between two stored positions. */
  readonly batchSize?: number;
}

/** A job to start. */
interface Start<J extends Job> {
  readonly input: unknown;
  readonly job: J;
  readonly once: IdempotencyKey | undefined;
  /** How long the call waits for the job to end. */
  readonly waitSeconds: number;
}

/** Lifecycle runs, bulk restores, reindexes and verifications: rows in the catalog, driven by this process. */
export class EngineJobs implements JobService {
  readonly #parts: JobsParts;
  readonly #runner: JobRunner;

  constructor(parts: JobsParts) {
    this.#parts = parts;
    this.#runner = new JobRunner({ batchSize: BATCH_SIZE, ...parts });
  }

  /** Continues the jobs that a crash or a shutdown left RUNNING. Call it once, at start. */
  async resumeJobs(): Promise<void> {
    await this.#runner.resume();
  }

  /**
   * Pauses all jobs within one batch. Callers that wait for a job receive it as RUNNING. Call it before the
   * engine closes.
   */
  stop(): Promise<void> {
    return this.#runner.stop();
  }

  async runLifecycle(
    principal: Principal,
    options: RunLifecycleOptions,
  ): Promise<{ readonly job: LifecycleJob; readonly started: boolean }> {
    const input = lifecycleInput(options, this.#parts.allowAsOf);
    const { dryRun } = options;
    const once = this.#once(principal, options, { operation: "runLifecycle", dryRun, ...input });
    const job = newLifecycleJob(this.#newFacts(dryRun), input, this.#parts.policy());
    return this.#run(principal, { input, job, once, waitSeconds: options.waitSeconds });
  }

  async restoreArtifacts(principal: Principal, options: RestoreArtifactsOptions): Promise<RestoreJob> {
    const input = restoreInput(options, this.#parts.engine.clock.now());
    const { toTier, dryRun, where } = options;
    // The filter as requested: the one in `input` has an instant added.
    const what = "keys" in input ? input : { where };
    const once = this.#once(principal, options, { operation: "restoreArtifacts", ...what, toTier, dryRun });
    const job = newRestoreJob(this.#newFacts(dryRun), input, toTier);
    return (await this.#run(principal, { input, job, once, waitSeconds: options.waitSeconds })).job;
  }

  async cancel(principal: Principal, jobId: string, idempotencyKey?: string): Promise<Job> {
    const { catalog } = this.#parts.engine;
    const job = await this.#job(jobId);
    const once = this.#once(principal, { idempotencyKey }, { operation: "cancelJob", jobId });
    if (job.status !== "RUNNING" && once === undefined) return job;
    await catalog.commit({ kind: "requestCancel", jobId, once });
    this.#runner.cancel(jobId);
    await this.#runner.wait(jobId, CANCEL_WAIT_SECONDS);
    return this.#job(jobId);
  }

  async getMany(_principal: Principal, jobIds: readonly string[]): Promise<readonly (Job | null)[]> {
    return (await this.#parts.engine.catalog.jobs(jobIds)).map((row) => row?.job ?? null);
  }

  list(principal: Principal, filter: JobFilter, page: PageRequest): Promise<Page<Job>> {
    const cursors = keysetCursors({ list: "jobs", filter }, startPositions);
    return this.#list(principal, scoped(principal, filter), page, cursors);
  }

  async listLifecycle(principal: Principal, page: PageRequest): Promise<Page<LifecycleJob>> {
    const cursors = keysetCursors({ list: "lifecycleJobs" }, startPositions);
    const selection = { kinds: ["lifecycle"], ...tenantScopeOf(principal) } as const;
    return (await this.#list(principal, selection, page, cursors)) as Page<LifecycleJob>;
  }

  #list(
    principal: Principal,
    selection: JobSelection,
    page: PageRequest,
    cursors: Cursors<JobStart>,
  ): Promise<Page<Job>> {
    const { catalog } = this.#parts.engine;
    const terms = { owner: scanOwner(principal) };
    return connectionPage(page, {
      cursors,
      list: (window) => catalog.listJobs(selection, window, terms),
      positionOf: ({ startedAt, id }) => ({ startedAt, id }),
      nodeOf: (job) => job,
      count: () => catalog.countJobs(selection, terms),
      indexed: true,
    });
  }

  async last(principal: Principal, dryRun?: boolean): Promise<LifecycleJob | null> {
    return this.#parts.engine.catalog.lastFinishedLifecycleJob(dryRun ?? null, tenantScopeOf(principal));
  }

  async items(_principal: Principal, jobId: string, page: PageRequest): Promise<Page<LifecycleItem>> {
    const { catalog } = this.#parts.engine;
    return connectionPage(page, {
      cursors: keysetCursors({ list: "lifecycleItems", filter: { jobId } }, keyPositions),
      list: (window) => listItems(catalog, jobId, window),
      positionOf: keyOf,
      nodeOf: (item) => item,
      count: () => countItems(catalog, jobId),
      indexed: true,
    });
  }

  async reindex(principal: Principal, options: ReindexOptions): Promise<ReindexJob> {
    const { dryRun, waitSeconds } = options;
    requireWait(waitSeconds);
    if (this.#parts.engine.adopter === null) throw treeNotPublished();
    const once = this.#once(principal, options, { operation: "reindex", dryRun });
    const job = newReindexJob(this.#newFacts(dryRun));
    return (await this.#run(principal, { input: null, job, once, waitSeconds })).job;
  }

  async confirmReindex(principal: Principal, jobId: string, idempotencyKey?: string): Promise<ReindexJob> {
    const { catalog, clock } = this.#parts.engine;
    const job = await this.#job(jobId);
    if (job.kind !== "reindex") throw new Refused("NOT_FOUND", "The job with this id is not a reindex.");
    if (job.status === "RUNNING") {
      throw new Refused("CONFLICT", "This reindex is still running. Review its findings when it has ended.", {
        jobId,
      });
    }
    if (job.dryRun)
      throw new Refused(
        "BAD_USER_INPUT",
        "A dry run of a reindex changes nothing, so it needs no confirmation. Confirm the live reindex instead.",
        {
          argument: "id",
        },
      );
    const once = this.#once(principal, { idempotencyKey }, { operation: "confirmReindex", jobId });
    await catalog.commit({ kind: "confirmReindex", at: clock.now(), actor: principal.actor, jobId, once });
    return (await this.#job(jobId)) as ReindexJob;
  }

  async verify(principal: Principal, options: VerifyOptions): Promise<VerifyJob> {
    const { tenantId, repair = false, waitSeconds } = options;
    requireWait(waitSeconds);
    if (tenantId !== undefined) requireIdentifier("tenantId", tenantId);
    if (repair && tenantId !== undefined) {
      throw new Refused(
        "BAD_USER_INPUT",
        "A repair covers the complete store, because a copy of lost content can be anywhere in it. Leave tenantId out.",
        { argument: "tenantId" },
      );
    }
    const refusal = repair ? await this.#parts.engine.repairer.refusal() : null;
    if (refusal !== null) throw refusal;
    const once = this.#once(principal, options, { operation: "verifyArtifacts", tenantId, repair });
    const job = newVerifyJob(this.#newFacts(false), tenantId ?? null, repair);
    return (await this.#run(principal, { input: null, job, once, waitSeconds })).job;
  }

  async findings(_principal: Principal, jobId: string, page: PageRequest): Promise<Page<StoreFinding>> {
    const { catalog } = this.#parts.engine;
    return connectionPage(page, {
      cursors: keysetCursors({ list: "storeFindings", filter: { jobId } }, numberPositions),
      list: (window) => catalog.listFindings(jobId, window),
      positionOf: ({ number }) => number,
      nodeOf: (finding) => finding,
      count: () => catalog.countFindings(jobId),
      indexed: true,
    });
  }

  /**
   * Starts the job, or finds the equal job that already runs or that a retry started. Returns it when it has
   * ended or after `waitSeconds`.
   *
   * @throws Refused CONFLICT if another live run excludes it
   */
  async #run<J extends Job>(
    principal: Principal,
    { input, job, once, waitSeconds }: Start<J>,
  ): Promise<{ readonly job: J; readonly started: boolean }> {
    if (this.#runner.stopping) {
      throw new Refused("UNAVAILABLE", "The server is shutting down. Try again in a moment.", {
        retryAfterSeconds: 5,
      });
    }
    const { catalog } = this.#parts.engine;
    const { actor } = principal;
    const at = job.startedAt;
    const change = { kind: "startJob", at, actor, job, input, expected: null, once } as const;
    const { jobId, started } = await catalog.commit(change).catch((error: unknown) => {
      if (error instanceof Refused && error.facts.outcome === "unknown") this.#runner.resumeOnceCertain();
      throw error;
    });
    if (jobId === job.id) {
      this.#parts.onStarted?.(job, actor);
      this.#runner.run({ ...UNSTARTED, job, actor, input, expected: null, treated: 0 });
    }
    await this.#runner.wait(jobId, waitSeconds);
    return { job: (await this.#job(jobId)) as J, started };
  }

  #once(
    principal: Principal,
    { idempotencyKey }: Repeatable,
    request: RequestFacts,
  ): IdempotencyKey | undefined {
    return idempotencyKeyOf(principal, idempotencyKey, this.#parts.engine.clock.now(), request);
  }

  #newFacts(dryRun: boolean): NewJobFacts {
    return newFacts(this.#parts.engine.clock.now(), dryRun);
  }

  /** @throws Refused NOT_FOUND */
  async #job(jobId: string): Promise<Job> {
    const [row] = await this.#parts.engine.catalog.jobs([jobId]);
    if (!row)
      throw new Refused("NOT_FOUND", "There is no job with this id. List the jobs with the query jobs.");
    return row.job;
  }
}
