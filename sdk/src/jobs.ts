import type { Caller } from "./caller.ts";
import type { RequestOptions } from "./document.ts";
import { TierkeepError } from "./errors.ts";
import { isRecord } from "./refusals.ts";
import { pause } from "./repeat.ts";

export interface FinishedOptions<Job> {
  /** Called with the job as it stands: at once, each time that it is asked for again, and as it ended. */
  readonly onProgress?: ((job: Job) => void) | undefined;
  /** Ends the waiting with an AbortError. The job goes on. */
  readonly signal?: AbortSignal | undefined;
  /** How long to wait between two questions, in ms, once the job has run for a while. Default 1,000. */
  readonly pollMs?: number | undefined;
}

export interface Finishing<Job> {
  /**
   * Waits until the job has ended, however it did (see its `status`), and answers with it.
   *
   * @throws NotFoundError where the server has forgotten it meanwhile
   */
  finished(options?: FinishedOptions<Job>): Promise<Job>;
}

interface AnyJob {
  readonly __typename: `${string}Job`;
  readonly id: string;
  readonly finishedAt: string | null;
}

/** An answer whose jobs can be waited for: itself, its `job`, or its `nodes`. */
export type WithJobs<Answer> = Answer extends AnyJob
  ? Answer & Finishing<Answer>
  : Answer extends { readonly job: infer Job }
    ? Omit<Answer, "job"> & { readonly job: WithJobs<Job> }
    : Answer extends { readonly nodes: ReadonlyArray<infer Job> }
      ? Omit<Answer, "nodes"> & { readonly nodes: ReadonlyArray<WithJobs<Job>> }
      : Answer;

const FIRST_PAUSE_MS = 50;

/** Gives the jobs in `answer` their method. It is not enumerable, so that a job is still nothing but data to whoever copies or prints it. */
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
