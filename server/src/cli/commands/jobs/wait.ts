import { AbortError } from "@tierkeep/sdk";
import type { Output } from "../../output/output.ts";
import { startProgress } from "../../output/progress.ts";

/** A job as the SDK gives it. */
interface Running<Job> {
  readonly id: string;
  finished(options: { readonly signal: AbortSignal; readonly onProgress: (job: Job) => void }): Promise<Job>;
}

/** Waits for a job's end, however long, and answers with it. When the command is interrupted the job goes on. */
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
      output.note(`It goes on without this command: tierkeep jobs cancel ${job.id} stops it.`);
    }
    throw error;
  }
}
