import { setTimeout as sleep } from "node:timers/promises";
import type { Job } from "@tierkeep/schema/services/jobs";
import type { JobRow } from "../catalog/rows.ts";
import { BatchTurns } from "./batch-turns.ts";
import {
  cancelled,
  failedBy,
  type JobEnding,
  type JobParts,
  type JobWork,
  WorkedSeconds,
} from "./job-work.ts";
import { LifecycleRun } from "./lifecycle-run.ts";
import { ReindexRun } from "./reindex-run.ts";
import { RestoreRun } from "./restore-run.ts";
import { VerifyRun } from "./verify-run.ts";

const RETRY_MS = 1000;
/** Jobs of each kind and tenant whose items and findings are kept. */
const KEPT_JOBS = 100;
/** Items removed in one commit, so that cleaning up holds up no writer. */
const PRUNED_AT_ONCE = 500;

/** No job has this id. */
const NO_JOB = "";
/** The owner of jobs that are not of one tenant; no tenant has this name. */
const WHOLE_STORE = "";

interface Running {
  /** Aborted by a cancel; what takes long within a batch may heed it there. */
  readonly cancel: AbortController;
  readonly over: Promise<void>;
}

/** Drives the jobs of this process from batch to batch, and ends each of them once. */
export class JobRunner {
  readonly #parts: JobParts;
  readonly #running = new Map<string, Running>();
  readonly #stopping = new AbortController();
  /** How many batches of each kind run at once: one of a verification or a reindex reads many bytes. */
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

  /** Takes a job up where it stands. Nothing happens to one that runs here already. */
  run(row: JobRow): void {
    if (this.#running.has(row.job.id) || this.stopping) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const running: Running = { cancel: new AbortController(), over: promise };
    if (row.cancelRequested) running.cancel.abort();
    this.#running.set(row.job.id, running);
    void this.#drive(row, running).finally(() => {
      this.#running.delete(row.job.id);
      resolve();
    });
  }

  /** Takes up every job that is RUNNING and does not run here. */
  async resume(): Promise<void> {
    for (const row of await this.#parts.engine.catalog.runningJobs()) this.run(row);
  }

  /**
   * The same, once the catalog can be written and read again: a start whose outcome nobody knows may have left a job, which
   * would stand in the way of others until the server's next start.
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
        // After a commit it is certain what those before it have come to.
        await this.#pruneSome(NO_JOB);
        return await this.resume();
      } catch (error) {
        if (this.stopping) return;
        this.#parts.onProblem("whether a job was started cannot be found out yet", error);
      }
    }
  }

  /** The job ends as CANCELLED before its next batch. */
  cancel(jobId: string): void {
    this.#running.get(jobId)?.cancel.abort();
  }

  /** Resolves when the job is over, after `seconds`, or at once when jobs are being stopped or it does not run here. */
  async wait(jobId: string, seconds: number): Promise<void> {
    const running = this.#running.get(jobId);
    if (!running || seconds === 0 || this.stopping) return;
    const givenUp = new AbortController();
    await Promise.race([running.over, this.#pause(seconds * 1000, givenUp.signal)]);
    givenUp.abort();
  }

  /** Jobs pause before their next batch, RUNNING as they are, and are taken up again at the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#resuming;
    await Promise.all([...this.#running.values()].map(({ over }) => over));
    await this.#pruning;
  }

  async #drive(row: JobRow, running: Running): Promise<void> {
    const worked = new WorkedSeconds(row.position);
    let ending: JobEnding | null;
    try {
      const signal = AbortSignal.any([running.cancel.signal, this.#stopping.signal]);
      ending = await this.#toTheEnd(row.job, this.#workOf(row, worked, signal), running, signal);
    } catch (error) {
      // What fails while everything is being closed is no failure of the job.
      if (this.stopping) return;
      this.#parts.onProblem(`job ${row.job.id} cannot go on`, error);
      ending = failedBy(error);
    }
    if (!ending || !(await this.#finish(row, ending, worked))) return;
    await this.#tellEnd(row);
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

  /** Null: it was paused. */
  async #toTheEnd(
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

  /** Tries until the ending can be written. False: it was paused before; the next start takes the job up and ends it. */
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
        this.#parts.onProblem(`the end of job ${job.id} cannot be written yet`, error);
        await this.#pause(RETRY_MS);
        if (this.stopping) return false;
      }
    }
  }

  async #tellEnd({ job: { id }, actor }: JobRow): Promise<void> {
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
      this.#parts.onProblem("items of old jobs could not be removed; the next run tries again", error);
    }
  }

  /** Removes items of older jobs like this one, and returns how many. */
  #pruneSome(jobId: string): Promise<number> {
    const change = { kind: "sweepJobItems", jobId, keep: KEPT_JOBS, limit: PRUNED_AT_ONCE } as const;
    return this.#parts.engine.catalog.commit(change);
  }

  /** Resolves after `ms`, at once when jobs are being stopped, and when `signal` aborts. */
  async #pause(ms: number, signal?: AbortSignal): Promise<void> {
    const { signal: stopping } = this.#stopping;
    await sleep(ms, undefined, { signal: signal ? AbortSignal.any([signal, stopping]) : stopping }).catch(
      () => {},
    );
  }
}
