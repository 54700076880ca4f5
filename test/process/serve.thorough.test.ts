import { createTierkeep } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { daysAfter } from "../support/client.ts";
import { writeMany } from "../support/many-artifacts.ts";
import { startServer } from "../support/server.ts";

describe("SIGTERM", () => {
  it("answers who waits for a job with the running job, which goes on after the next start", async () => {
    await using server = await startServer({ env: { TIERKEEP_ALLOW_AS_OF: "true" } });
    const tierkeep = createTierkeep({ url: server.url });
    // Their run takes over a second: it is still under way when the signal arrives.
    const COUNT = 3_000;
    await writeMany(server, "t", COUNT);
    const asOf = daysAfter(new Date().toISOString(), 8);
    const waiting = tierkeep.runLifecycle({ asOf, waitSeconds: 60 });
    await expect
      .poll(async () => (await tierkeep.lifecycleJobs()).nodes[0]?.promotedToWarm ?? 0, { interval: 1 })
      .toBeGreaterThan(0);
    const stopped = server.stop();
    const { job } = await waiting;
    await stopped;
    expect(job.status).toBe("RUNNING");
    await server.restart();
    await expect.poll(async () => (await tierkeep.lifecycleJob({ id: job.id }))?.status).toBe("SUCCEEDED");
    expect((await tierkeep.lifecycleJob({ id: job.id }))?.promotedToWarm).toBe(COUNT);
  });
});
