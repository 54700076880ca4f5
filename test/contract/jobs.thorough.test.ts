import { describe, expect, it } from "vitest";
import { ask, daysAfter, newTenant } from "../support/client.ts";
import { writeMany } from "../support/many-artifacts.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();

describe("a running lifecycle job", () => {
  /** Artifacts of a run that takes over a second, so the next request arrives long before its end. */
  const LARGE = 3_000;

  /** Creates a tenant whose run is still running when the next request arrives. */
  async function muchToDo() {
    const tenantId = newTenant("large");
    await writeMany(shared.server, tenantId, LARGE);
    return { tenantId, asOf: daysAfter(new Date().toISOString(), 8) };
  }

  const RUNS = `mutation ($first: RunLifecycleInput!, $same: RunLifecycleInput!, $other: RunLifecycleInput!, $dry: RunLifecycleInput!) {
    first: runLifecycle(input: $first) { started job { id status finishedAt durationSeconds } }
    same: runLifecycle(input: $same) { started job { id status } }
    other: runLifecycle(input: $other) { started job { id } }
    dry: runLifecycle(input: $dry) { started job { id dryRun } }
  }`;

  it("is returned for the same input, refuses another with CONFLICT, and allows dry runs", async () => {
    const input = { ...(await muchToDo()), waitSeconds: 0 };
    const { data, errors } = await ask<
      Record<string, { started: boolean; job: { id: string; status: string } }>
    >(shared.server, RUNS, {
      first: input,
      same: input,
      other: { ...input, steps: ["PURGE"] },
      dry: { tenantId: newTenant(), dryRun: true, waitSeconds: 0 },
    });
    const jobId = data?.first?.job.id ?? "";
    expect(data?.first).toEqual({
      started: true,
      job: { id: jobId, status: "RUNNING", finishedAt: null, durationSeconds: null },
    });
    expect(data?.same).toEqual({ started: false, job: { id: jobId, status: "RUNNING" } });
    expect(data?.other).toBeNull();
    expect(errors).toMatchObject([{ path: ["other"], extensions: { code: "CONFLICT", jobId } }]);
    expect(data?.dry).toMatchObject({ started: true, job: { dryRun: true } });

    // A request with the same input joins the run and waits for it.
    const joined = await shared.tierkeep.runLifecycle({ ...input, waitSeconds: 60 });
    if (!joined.started) expect(joined.job.id).toBe(jobId);
    expect(await shared.tierkeep.lifecycleJob({ id: jobId })).toMatchObject({
      status: "SUCCEEDED",
      promotedToWarm: LARGE,
      progress: 1,
    });
  });

  it("can be cancelled: it keeps its finished steps and makes no more", async () => {
    const input = { ...(await muchToDo()), waitSeconds: 0 };
    const { job } = await shared.tierkeep.runLifecycle(input);
    const cancelled = await shared.tierkeep.cancelJob({ id: job.id });
    expect(cancelled.job.id).toBe(job.id);
    // The cancelled run may still be finishing its current block.
    await expect
      .poll(async () => (await shared.tierkeep.lifecycleJob({ id: job.id }))?.status)
      .toBe("CANCELLED");
    const ended = await shared.tierkeep.lifecycleJob({ id: job.id });
    expect(ended?.finishedAt).not.toBeNull();
    const { totalCount } = await shared.tierkeep.artifacts({
      where: { tenantId: input.tenantId, tiers: ["WARM"] },
      first: 0,
      withTotalCount: true,
    });
    expect(ended?.promotedToWarm).toBe(totalCount);
    expect(totalCount).toBeLessThan(LARGE);
    const events = await shared.tierkeep.lifecycleEventHistory({
      where: { jobId: job.id, types: ["LIFECYCLE_JOB_COMPLETED"] },
    });
    expect(events.nodes).toHaveLength(1);
    expect((await shared.tierkeep.cancelJob({ id: job.id })).job).toMatchObject({ status: "CANCELLED" });
  });
});
