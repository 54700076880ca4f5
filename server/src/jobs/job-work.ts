import type { RetentionPolicy } from "@tierkeep/schema/domain/policy";
import { type ErrorCode, Refused } from "@tierkeep/schema/domain/refusals";
import type { Job } from "@tierkeep/schema/services/jobs";
import type { JobAdvance } from "../catalog/job-changes.ts";
import type { ItemFailure, JobEnding, JobRow } from "../catalog/rows.ts";
import type { Engine } from "./job-engine.ts";

/** Artifacts per batch. A crash repeats at most one batch, and a cancel waits for at most one. */
export const BATCH_SIZE = 100;

export interface JobParts {
  readonly engine: Engine;
  /** The policy in force now. A resumed job may have been planned under another one. */
  readonly policy: () => RetentionPolicy;
  readonly batchSize: number;
  /** Called when a job has ended, with its final state. */
  readonly onEnded?: ((job: Job, actor: string) => void) | undefined;
  /** Reports background problems. Jobs continue by themselves. */
  readonly onProblem: (message: string, error?: unknown) => void;
}

/**
 * The work of a job. Yields after each batch, once its position is stored, so that the caller may stop there.
 * Returns how the job ended.
 * @throws the error that prevents the job from continuing
 */
export type JobWork = AsyncGenerator<void, JobEnding, void>;

export const succeeded: JobEnding = { status: "SUCCEEDED", errorCode: null, error: null };
export const cancelled: JobEnding = { status: "CANCELLED", errorCode: null, error: null };

/** Returns the ending of a job that `error` stopped. Details of unexpected errors are not included. */
export function failedBy(error: unknown): JobEnding {
  return { status: "FAILED", ...reasonOf(error) };
}

/** Returns the part of an error that may be stored and shown. */
export function reasonOf(error: unknown): ItemFailure {
  return error instanceof Refused
    ? { errorCode: error.code, error: error.message }
    : { errorCode: "INTERNAL", error: "The server failed unexpectedly. Its log has the details." };
}

const NOT_ABOUT_ONE: readonly ErrorCode[] = ["UNAVAILABLE", "TIER_UNAVAILABLE", "STORAGE_FULL"];

/** Returns whether the error concerns more than one artifact, so that the next artifact would fail too. */
export function stopsEverything(error: unknown): boolean {
  return (
    error instanceof Refused && (NOT_ABOUT_ONE.includes(error.code) || error.facts.outcome === "unknown")
  );
}

/** Working time of one job in seconds, over all crashes and restarts. Stored with every position. */
export class WorkedSeconds {
  readonly #before: number;
  readonly #startedAt = performance.now();

  constructor(before: number) {
    this.#before = before;
  }

  /** Greater than 0, even if the monotonic clock has not advanced since the start. */
  get total(): number {
    return this.#before + Math.max((performance.now() - this.#startedAt) / 1000, 1e-6);
  }
}

/** Base class of the jobs' work; each kind of job has a subclass. */
export abstract class JobRun<J extends Job> {
  protected readonly parts: JobParts;
  protected readonly row: JobRow;
  protected readonly job: J;
  /** Aborts when the job must stop, for work within a batch that takes long. */
  protected readonly signal: AbortSignal;
  readonly #worked: WorkedSeconds;

  constructor(parts: JobParts, row: JobRow, job: J, worked: WorkedSeconds, signal: AbortSignal) {
    this.parts = parts;
    this.row = row;
    this.job = job;
    this.signal = signal;
    this.#worked = worked;
  }

  /** Continues at the stored position. */
  abstract work(): JobWork;

  /** Working time so far. */
  protected get workedSeconds(): number {
    return this.#worked.total;
  }

  /** Returns what stores a position. `expected`: number of artifacts of the job, set once. */
  protected advance(
    position: JobAdvance["position"],
    expected?: number,
    found?: JobAdvance["found"],
  ): JobAdvance {
    return {
      position,
      durationSeconds: this.workedSeconds,
      ...(expected !== undefined && { expected }),
      ...(found && { found }),
    };
  }

  protected async store(advance: JobAdvance): Promise<void> {
    await this.parts.engine.catalog.commit({ kind: "advanceJob", jobId: this.job.id, ...advance });
  }
}
