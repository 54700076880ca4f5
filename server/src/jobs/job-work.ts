import type { JobStatus } from "@tierkeep/schema/domain/jobs";
import type { RetentionPolicy } from "@tierkeep/schema/domain/policy";
import { type ErrorCode, Refused } from "@tierkeep/schema/domain/refusals";
import type { Job } from "@tierkeep/schema/services/jobs";
import type { AdvanceJobChange } from "../catalog/job-changes.ts";
import type { JobPosition, JobRow } from "../catalog/rows.ts";
import type { Engine } from "./job-engine.ts";

/** Artifacts treated between two stored positions: what a crash repeats at most, and what a cancel waits for. */
export const BATCH_SIZE = 100;

export interface JobParts {
  readonly engine: Engine;
  /** The policy in force now. A resumed job may have been planned under another. */
  readonly policy: () => RetentionPolicy;
  readonly batchSize: number;
  /** Called when a job has ended, with the job as it ended. */
  readonly onEnded?: ((job: Job, actor: string) => void) | undefined;
  /** Told what went wrong behind the scenes; jobs go on by themselves. */
  readonly onProblem: (message: string, error?: unknown) => void;
}

/** How a job ended. */
export interface JobEnding {
  readonly status: Exclude<JobStatus, "RUNNING">;
  readonly errorCode: ErrorCode | null;
  readonly error: string | null;
}

/**
 * A job's work: yields after each batch, once its position is stored, so that whoever drives it may stop there; returns
 * how it ended. Throws what keeps it from going on at all.
 */
export type JobWork = AsyncGenerator<void, JobEnding, void>;

export const succeeded: JobEnding = { status: "SUCCEEDED", errorCode: null, error: null };
export const cancelled: JobEnding = { status: "CANCELLED", errorCode: null, error: null };

/** How a job ends that `error` has stopped. What was not foreseen stays inside. */
export function failedBy(error: unknown): JobEnding {
  return { status: "FAILED", ...reasonOf(error) };
}

/** What of an error may be stored and shown. */
export function reasonOf(error: unknown): { readonly errorCode: ErrorCode; readonly error: string } {
  return error instanceof Refused
    ? { errorCode: error.code, error: error.message }
    : { errorCode: "INTERNAL", error: "The server failed in a way it did not foresee; its log says how." };
}

const NOT_ABOUT_ONE: readonly ErrorCode[] = ["UNAVAILABLE", "TIER_UNAVAILABLE", "STORAGE_FULL"];

/** True when an error is not about one artifact: the next one would fare no better. */
export function stopsEverything(error: unknown): boolean {
  return (
    error instanceof Refused && (NOT_ABOUT_ONE.includes(error.code) || error.facts.outcome === "unknown")
  );
}

/** Seconds of work of one job, over crashes and restarts: they are stored with every position. */
export class WorkedSeconds {
  readonly #before: number;
  readonly #startedAt = performance.now();

  constructor(position: JobPosition) {
    const seconds = position?.workedSeconds;
    this.#before = typeof seconds === "number" ? seconds : 0;
  }

  /** Over 0, also where the monotonic clock has not ticked since the start. */
  get total(): number {
    return this.#before + Math.max((performance.now() - this.#startedAt) / 1000, 1e-6);
  }
}

/** A job at work: each kind of job is a class of its own. */
export abstract class JobRun<J extends Job> {
  protected readonly parts: JobParts;
  protected readonly row: JobRow;
  protected readonly job: J;
  /** Aborts when the job is to stop, for what takes longer than a batch should. */
  protected readonly signal: AbortSignal;
  readonly #worked: WorkedSeconds;

  constructor(parts: JobParts, row: JobRow, job: J, worked: WorkedSeconds, signal: AbortSignal) {
    this.parts = parts;
    this.row = row;
    this.job = job;
    this.signal = signal;
    this.#worked = worked;
  }

  /** Goes on where the row's position says. */
  abstract work(): JobWork;

  /** Stores where the job stands. `expected`: how many artifacts it is about, told once. */
  protected async store(place: object, expected?: number, found?: AdvanceJobChange["found"]): Promise<void> {
    const workedSeconds = this.#worked.total;
    await this.parts.engine.catalog.commit({
      kind: "advanceJob",
      jobId: this.row.job.id,
      position: { ...place, workedSeconds },
      durationSeconds: workedSeconds,
      ...(expected !== undefined && { expected }),
      ...(found && { found }),
    });
  }
}
