import { AbortError } from "@tierkeep/sdk";
import type { Output } from "../../output/output.ts";
import { startProgress } from "../../output/progress.ts";

/** A job as the SDK returns it. */
interface Running<Job> {
  readonly id: string;
  finished(options: { readonly signal: AbortSignal; readonly onProgress: (job: Job) => void }): Promise<Job>;
}

/** Waits until a job has ended and returns it. If the command is interrupted, the job continues on the server. */
export async function waitForEnd<Job extends { readonly progress: number | null }>(
  job: Running<Job>,
  label: string,
  output: Output,
  signal: AbortSignal,
): Promise<Job> {
  using progress = startProgress(label, "share");
  try {
    return await job.finished({ signal, onProgress: (each) => progress.update(each.progress ?? 0, 1) });
  } catch (error) {
    if (error instanceof AbortError) {
      output.note(`The job continues on the server. To stop it: tierkeep jobs cancel ${job.id}`);
    }
    throw error;
  }
}
