import type { Principal } from "@tierkeep/schema/domain/principal";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { JobService } from "@tierkeep/schema/services/jobs";
import { Cron } from "croner";

const SCHEDULE: Principal = { actor: "schedule", role: "ADMIN", tenants: null };

/**
 * Five fields, or six with seconds first. A seventh field (years) is excluded, because a schedule would end
 * silently.
 */
const MODE = "5-or-6-parts";

/**
 * Returns why `expression` is not a valid schedule, as the rest of a sentence after its name. Null if it is
 * valid.
 */
export function scheduleProblem(expression: string): string | null {
  try {
    // Without a function, Cron schedules nothing.
    const cron = new Cron(expression, { mode: MODE, paused: true });
    // croner also accepts a single ISO 8601 instant.
    if (cron.getPattern() === undefined) return "is a single instant, not a schedule";
    return cron.nextRun() === null ? "never is due" : null;
  } catch (error) {
    return `is not a cron expression (${error instanceof Error ? error.message : String(error)})`;
  }
}

export interface Schedule {
  /** The next run, in ms since the epoch. Null if there is none. */
  next(): number | null;
  stop(): void;
}

/**
 * Starts a live run of all steps over all tenants at each scheduled time, in the server's time zone. Skips a
 * run while another one is in progress.
 */
export function startSchedule(
  expression: string,
  jobs: Pick<JobService, "runLifecycle">,
  onProblem: (message: string, error?: unknown) => void,
): Schedule {
  const run = async () => {
    try {
      await jobs.runLifecycle(SCHEDULE, { dryRun: false, waitSeconds: 0 });
    } catch (error) {
      const busy = error instanceof Refused && error.code === "CONFLICT";
      onProblem(
        busy
          ? "the scheduled lifecycle run was skipped: another run is in progress"
          : "the scheduled lifecycle run could not be started",
        error,
      );
    }
  };
  const cron = new Cron(expression, { mode: MODE, unref: true }, run);
  return { next: () => cron.nextRun()?.getTime() ?? null, stop: () => cron.stop() };
}
