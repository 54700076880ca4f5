import type { Principal } from "@tierkeep/schema/domain/principal";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { JobService } from "@tierkeep/schema/services/jobs";
import { Cron } from "croner";

const SCHEDULE: Principal = { actor: "schedule", role: "ADMIN", tenants: null };

/** Minutes first, seconds before them if there are six fields: a seventh, of years, would end a schedule silently. */
const MODE = "5-or-6-parts";

/** Why `expression` is no schedule, as the end of a sentence that begins with its name; null when it is one. */
export function scheduleProblem(expression: string): string | null {
  try {
    // Without a function it schedules nothing.
    const cron = new Cron(expression, { mode: MODE, paused: true });
    // croner also takes one instant in ISO 8601.
    if (cron.getPattern() === undefined) return "is a single instant, not a schedule";
    return cron.nextRun() === null ? "never falls due" : null;
  } catch (error) {
    return `is no cron expression (${error instanceof Error ? error.message : String(error)})`;
  }
}

export interface Schedule {
  /** The next instant, ms since the epoch; null: none. */
  next(): number | null;
  stop(): void;
}

/**
 * Starts a live run of all steps over all tenants whenever the expression says so, in the server's time zone. One that
 * falls due while a run is under way is left out.
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
          ? "the scheduled lifecycle run was left out: another one is under way"
          : "the scheduled lifecycle run could not be started",
        error,
      );
    }
  };
  const cron = new Cron(expression, { mode: MODE, unref: true }, run);
  return { next: () => cron.nextRun()?.getTime() ?? null, stop: () => cron.stop() };
}
