import type { Caller } from "./caller.ts";
import type { RequestOptions } from "./document.ts";
import { TierkeepError } from "./errors.ts";
import { isRecord } from "./refusals.ts";
import { pause } from "./repeat.ts";

export interface FinishedOptions<Job> {
  /** Called with the current job: immediately, after each poll, and when the job has finished. */
  readonly onProgress?: ((job: Job) => void) | undefined;
  /** Aborts the wait with an AbortError. The job continues. */
  readonly signal?: AbortSignal | undefined;
  /** Maximum interval between two polls in ms. Intervals start at 50 ms and double. Default: 1,000. */
  readonly pollMs?: number | undefined;
}

export interface Finishing<Job> {
  /**
   * Waits until the job has finished with any `status`, and returns it.
   *
   * @throws NotFoundError if the server has deleted the job
   */
  finished(options?: FinishedOptions<Job>): Promise<Job>;
}

interface AnyJob {
  readonly __typename: `${string}Job`;
  readonly id: string;
  readonly finishedAt: string | null;
}

/**
 * A result whose jobs have the method `finished`: the result itself, its `job`, or its `nodes`. Mapped, so that
 * editors show its fields.
 */
export type WithJobs<Answer> = Answer extends AnyJob
  ? { [Field in keyof (Answer & Finishing<Answer>)]: (Answer & Finishing<Answer>)[Field] }
  : Answer extends { readonly job: unknown }
    ? { [Field in keyof Answer]: Field extends "job" ? WithJobs<Answer[Field]> : Answer[Field] }
    : Answer extends { readonly nodes: ReadonlyArray<infer Job> }
      ? { [Field in keyof Answer]: Field extends "nodes" ? ReadonlyArray<WithJobs<Job>> : Answer[Field] }
      : Answer;

const FIRST_PAUSE_MS = 50;

/**
 * Adds the method `finished` to the jobs in `answer`. The method is not enumerable, so a copy or a print of a
 * job contains only data.
 */
export function withJobs<Answer>(
  answer: Answer,
  caller: Caller,
  ask: (id: string, options: RequestOptions) => Promise<unknown>,
): Answer {
  const { job, nodes }: { readonly [key: string]: unknown } = isRecord(answer) ? answer : {};
  for (const each of [answer, job, ...(Array.isArray(nodes) ? nodes : [])]) {
    if (isJob(each)) {
      Object.defineProperty(each, "finished", {
        value: (options: FinishedOptions<AnyJob> = {}) => finished(each, caller, ask, options),
      });
    }
  }
  return answer;
}

async function finished(
  begun: AnyJob,
  caller: Caller,
  ask: (id: string, options: RequestOptions) => Promise<unknown>,
  { onProgress, signal, pollMs = 1_000 }: FinishedOptions<AnyJob>,
): Promise<AnyJob> {
  const limit = caller.deadline({ signal, timeoutMs: Number.POSITIVE_INFINITY });
  let job = begun;
  for (let waitMs = FIRST_PAUSE_MS; ; waitMs *= 2) {
    onProgress?.(job);
    if (job.finishedAt !== null) return job;
    await limit.race(pause(Math.min(waitMs, pollMs), limit.signal));
    const found = await ask(job.id, { signal });
    if (!isJob(found)) throw new TierkeepError("NOT_FOUND", `The server no longer knows the job ${job.id}.`);
    job = found;
  }
}

function isJob(value: unknown): value is AnyJob {
  return isRecord(value) && `${value.__typename}`.endsWith("Job") && "finishedAt" in value;
}
