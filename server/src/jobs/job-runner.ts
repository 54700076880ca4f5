import { setTimeout as sleep } from "node:timers/promises";
import type { Job } from "@tierkeep/schema/services/jobs";
import type { JobEnding, JobRow } from "../catalog/rows.ts";
import { BatchTurns } from "./batch-turns.ts";
import { cancelled, failedBy, type JobParts, type JobWork, WorkedSeconds } from "./job-work.ts";
import { LifecycleRun } from "./lifecycle-run.ts";
import { ReindexRun } from "./reindex-run.ts";
import { RestoreRun } from "./restore-run.ts";
import { VerifyRun } from "./verify-run.ts";

const RETRY_MS = 1000;
/** Number of jobs per kind and tenant whose plans and findings are kept. */
const KEPT_JOBS = 100;
/** Blocks and findings deleted per commit, so that cleaning up does not delay writers. */
const PRUNED_AT_ONCE = 100;

/** An id that no job has. */
const NO_JOB = "";
/** The owner of jobs that cover all tenants. No tenant has this name. */
const WHOLE_STORE = "";

interface Running {
  /** Aborted by a cancel. Long work within a batch may check it. */
  readonly cancel: AbortController;
  readonly over: Promise<void>;
}

/**
 * Runs the jobs of this process batch by batch, and ends each of them once.
 *
 * States of a job here:
 * - waiting: its next batch waits for a turn of its kind; owners take turns
 * - running: a batch is in progress; its position is stored at the end
 * - ending: the final status is written; a failed write is retried every second until it succeeds or `stop`
 *   is called
 * - over: the job is removed from the runner, and plans and findings of old jobs are deleted
 *
 * A cancel moves a waiting job to ending (CANCELLED), and a running one after its batch. `stop` lets a job
 * leave without an ending: it stays RUNNING in the catalog, and `resume` continues it at its stored position.
 */
export class JobRunner {
  readonly #parts: JobParts;
  readonly #running = new Map<string, Running>();
  readonly #stopping = new AbortController();
  /**
   * Number of batches per kind that run concurrently. A batch of a verification or a reindex reads many
   * bytes.
   */
  readonly #turns: Record<Job["kind"], BatchTurns> = {
    lifecycle: new BatchTurns(4),
    restore: new BatchTurns(4),
    reindex: new BatchTurns(1),
    verify: new BatchTurns(2),
  };
  #pruning: Promise<void> = Promise.resolve();
  #resuming: Promise<void> | null = null;

  constructor(parts: JobParts) {
    this.#parts = parts;
  }

  get stopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Starts or continues a job at its stored position. Does nothing if the job runs here already. */
  run(row: JobRow): void {
    if (this.#running.has(row.job.id) || this.stopping) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const running: Running = { cancel: new AbortController(), over: promise };
    if (row.cancelRequested) running.cancel.abort();
    this.#running.set(row.job.id, running);
    void this.#runToEnd(row, running).finally(() => {
      this.#running.delete(row.job.id);
      resolve();
    });
  }

  /** Continues every RUNNING job that does not run here. */
  async resume(): Promise<void> {
    for (const row of await this.#parts.engine.catalog.runningJobs()) this.run(row);
  }

  /**
   * Calls `resume` once the catalog can be written and read again. A start with an unknown outcome may have
   * created a job, which would block others until the next start of the server.
   */
  resumeOnceCertain(): void {
    this.#resuming ??= this.#resumeOnceCertain().finally(() => {
      this.#resuming = null;
    });
  }

  async #resumeOnceCertain(): Promise<void> {
    for (;;) {
      await this.#pause(RETRY_MS);
      if (this.stopping) return;
      try {
        // A successful commit makes the outcomes of the earlier ones certain.
        await this.#pruneSome(NO_JOB);
        return await this.resume();
      } catch (error) {
        if (this.stopping) return;
        this.#parts.onProblem("it is unknown whether a job was started; the server is still checking", error);
      }
    }
  }

  /** Ends the job as CANCELLED before its next batch. */
  cancel(jobId: string): void {
    this.#running.get(jobId)?.cancel.abort();
  }

  /**
   * Resolves when the job is over or after `seconds`. Resolves immediately if jobs are being stopped or the
   * job does not run here.
   */
  async wait(jobId: string, seconds: number): Promise<void> {
    const running = this.#running.get(jobId);
    if (!running || seconds === 0 || this.stopping) return;
    const waitEnded = new AbortController();
    await Promise.race([running.over, this.#pause(seconds * 1000, waitEnded.signal)]);
    waitEnded.abort();
  }

  /** Pauses jobs before their next batch. They stay RUNNING and continue at the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#resuming;
    await Promise.all([...this.#running.values()].map(({ over }) => over));
    await this.#pruning;
  }

  async #runToEnd(row: JobRow, running: Running): Promise<void> {
    const worked = new WorkedSeconds(row.workSeconds);
    let ending: JobEnding | null;
    try {
      const signal = AbortSignal.any([running.cancel.signal, this.#stopping.signal]);
      ending = await this.#runBatches(row.job, this.#workOf(row, worked, signal), running, signal);
    } catch (error) {
      // An error during shutdown does not make the job fail.
      if (this.stopping) return;
      this.#parts.onProblem(`job ${row.job.id} failed`, error);
      ending = failedBy(error);
    }
    if (!ending || !(await this.#finish(row, ending, worked))) return;
    await this.#reportEnd(row);
    this.#pruning = this.#pruning.then(() => this.#prune(row.job.id));
  }

  #workOf(row: JobRow, worked: WorkedSeconds, signal: AbortSignal): JobWork {
    const { job } = row;
    switch (job.kind) {
      case "lifecycle":
        return new LifecycleRun(this.#parts, row, job, worked, signal).work();
      case "restore":
        return new RestoreRun(this.#parts, row, job, worked, signal).work();
      case "reindex":
        return new ReindexRun(this.#parts, row, job, worked, signal).work();
      case "verify":
        return new VerifyRun(this.#parts, row, job, worked, signal).work();
    }
  }

  /** Runs batches until the job ends. Null: it was paused. */
  async #runBatches(
    { kind, tenantId }: Job,
    work: JobWork,
    running: Running,
    signal: AbortSignal,
  ): Promise<JobEnding | null> {
    for (;;) {
      if (this.stopping) return null;
      if (running.cancel.signal.aborted) return cancelled;
      const batch = await this.#turns[kind].run(tenantId ?? WHOLE_STORE, signal, () => work.next());
      if (batch?.done) return batch.value;
    }
  }

  /**
   * Writes the ending, retrying until it succeeds. False: the runner was stopped first; the next start
   * resumes the job and ends it.
   */
  async #finish({ job, actor }: JobRow, ending: JobEnding, worked: WorkedSeconds): Promise<boolean> {
    const { catalog, clock } = this.#parts.engine;
    for (;;) {
      try {
        await catalog.commit({
          kind: "finishJob",
          at: clock.now(),
          actor,
          jobId: job.id,
          ...ending,
          durationSeconds: worked.total,
        });
        return true;
      } catch (error) {
        if (this.stopping) return false;
        this.#parts.onProblem(
          `the end of job ${job.id} could not be written; the server retries every second`,
          error,
        );
        await this.#pause(RETRY_MS);
        if (this.stopping) return false;
      }
    }
  }

  async #reportEnd({ job: { id }, actor }: JobRow): Promise<void> {
    const { onEnded, engine } = this.#parts;
    if (onEnded === undefined) return;
    const [ended] = await engine.catalog.jobs([id]).catch(() => []);
    if (ended) onEnded(ended.job, actor);
  }

  async #prune(jobId: string): Promise<void> {
    try {
      let removed: number;
      do {
        if (this.stopping) return;
        removed = await this.#pruneSome(jobId);
      } while (removed === PRUNED_AT_ONCE);
    } catch (error) {
      this.#parts.onProblem(
        "plans and findings of old jobs could not be deleted; the next job retries",
        error,
      );
    }
  }

  /** Deletes some blocks and findings of older jobs of this kind and tenant. Returns their number. */
  #pruneSome(jobId: string): Promise<number> {
    const change = { kind: "sweepJobs", jobId, keep: KEPT_JOBS, limit: PRUNED_AT_ONCE } as const;
    return this.#parts.engine.catalog.commit(change);
  }

  /** Resolves after `ms`, or earlier when jobs are stopped or `signal` aborts. */
  async #pause(ms: number, signal?: AbortSignal): Promise<void> {
    const { signal: stopping } = this.#stopping;
    await sleep(ms, undefined, { signal: signal ? AbortSignal.any([signal, stopping]) : stopping }).catch(
      () => {},
    );
  }
}
