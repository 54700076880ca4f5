import { Refused } from "@tierkeep/schema/domain/refusals";
import type { JobService } from "@tierkeep/schema/services/jobs";
import { describe, expect, it } from "vitest";
import { scheduleProblem, startSchedule } from "./schedule.ts";

type Run = JobService["runLifecycle"];

describe("LIFECYCLE_SCHEDULE", () => {
  it("takes cron expressions of five or six fields, and the usual nicknames", () => {
    for (const expression of ["0 3 * * *", "*/30 * * * * *", "15 2 * * MON-FRI", "@daily"]) {
      expect(scheduleProblem(expression)).toBeNull();
    }
  });

  it("says what is wrong with anything else", () => {
    expect(scheduleProblem("every night")).toContain("is no cron expression");
    expect(scheduleProblem("61 * * * *")).toContain("minute");
    expect(scheduleProblem("")).toContain("is no cron expression");
    expect(scheduleProblem("0 0 3 * * * 2020")).toContain("is no cron expression");
    expect(scheduleProblem("2030-01-01T00:00:00")).toBe("is a single instant, not a schedule");
    expect(scheduleProblem("0 0 30 2 *")).toBe("never falls due");
  });

  it("runs all steps live, in the name of `schedule`, until it is stopped", async () => {
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

  it("leaves a run out while another is under way, says so, and goes on", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const runLifecycle: Run = async () => {
      throw new Refused("CONFLICT", "Another lifecycle run is under way.");
    };
    const schedule = startSchedule("* * * * * *", { runLifecycle }, resolve);
    expect(await promise).toContain("was left out");
    expect(schedule.next()).toBeGreaterThan(0);
    schedule.stop();
  });
});
