import { Refused } from "@tierkeep/schema/domain/refusals";
import type { JobService } from "@tierkeep/schema/services/jobs";
import { describe, expect, it } from "vitest";
import { scheduleProblem, startSchedule } from "./schedule.ts";

type Run = JobService["runLifecycle"];

describe("LIFECYCLE_SCHEDULE", () => {
  it("accepts cron expressions of five or six fields, and the usual nicknames", () => {
    for (const expression of ["0 3 * * *", "*/30 * * * * *", "15 2 * * MON-FRI", "@daily"]) {
      expect(scheduleProblem(expression)).toBeNull();
    }
  });

  it("rejects anything else and says why", () => {
    expect(scheduleProblem("every night")).toContain("is not a cron expression");
    expect(scheduleProblem("61 * * * *")).toContain("minute");
    expect(scheduleProblem("")).toContain("is not a cron expression");
    expect(scheduleProblem("0 0 3 * * * 2020")).toContain("is not a cron expression");
    expect(scheduleProblem("2030-01-01T00:00:00")).toBe("is a single instant, not a schedule");
    expect(scheduleProblem("0 0 30 2 *")).toBe("never is due");
  });

  it("runs all steps live as the actor `schedule` until it is stopped", async () => {
    const { promise, resolve } = Promise.withResolvers<Parameters<Run>>();
    const runLifecycle = async (...run: Parameters<Run>) => {
      resolve(run);
      return {} as Awaited<ReturnType<Run>>;
    };
    const schedule = startSchedule("* * * * * *", { runLifecycle }, () => {});
    const [principal, options] = await promise;
    expect(principal).toEqual({ actor: "schedule", role: "ADMIN", tenants: null });
    expect(options).toEqual({ dryRun: false, waitSeconds: 0 });
    schedule.stop();
    expect(schedule.next()).toBeNull();
  });

  it("skips a run while another one is in progress, reports that, and continues", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const runLifecycle: Run = async () => {
      throw new Refused("CONFLICT", "Another lifecycle run is in progress.");
    };
    const schedule = startSchedule("* * * * * *", { runLifecycle }, resolve);
    expect(await promise).toContain("was skipped");
    expect(schedule.next()).toBeGreaterThan(0);
    schedule.stop();
  });
});
