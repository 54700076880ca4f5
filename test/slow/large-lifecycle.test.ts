import { Agent, request } from "node:http";
import process from "node:process";
import { createTierkeep, type Tierkeep } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { forEachOf } from "../support/client.ts";
import { MAX_GROWTH_MIB, peakMiB, residentMiB, whileSampling } from "../support/resident-memory.ts";
import { type Server, startServer } from "../support/server.ts";

/** Set LIFECYCLE_ARTIFACTS=100000 for a larger run. */
const ARTIFACTS = Number(process.env.LIFECYCLE_ARTIFACTS ?? 20_000);
const TENANTS = 20;
const DAY_MS = 24 * 60 * 60 * 1000;

describe(`a lifecycle run over ${ARTIFACTS} artifacts, all due`, () => {
  it(`adds at most ${MAX_GROWTH_MIB} MiB to the idle server's memory: dry, then live from HOT to purged`, async () => {
    await using server = await startServer({ env: { TIERKEEP_ALLOW_AS_OF: "true" } });
    const tierkeep = createTierkeep({ url: server.url });
    await fill(server);
    // Restarts the server, so that the peak memory that the kernel reports excludes the writes.
    await server.restart();
    const idle = residentMiB(server.pid);

    const counts: unknown[] = [];
    const samples = await whileSampling(server.pid, async () => {
      for (const { days, dryRun } of [
        { days: 8, dryRun: true },
        { days: 8, dryRun: false },
        { days: 31, dryRun: false },
        { days: 91, dryRun: false },
      ]) {
        const asOf = new Date(Date.now() + days * DAY_MS).toISOString();
        const job = await runToEnd(tierkeep, { dryRun, asOf });
        const { status, promotedToWarm, promotedToCold, purged, totalErrors } = job;
        counts.push({ status, promotedToWarm, promotedToCold, purged, totalErrors });
      }
    });

    const nothing = {
      status: "SUCCEEDED",
      promotedToWarm: 0,
      promotedToCold: 0,
      purged: 0,
      totalErrors: 0,
    };
    expect(counts).toEqual([
      { ...nothing, promotedToWarm: ARTIFACTS },
      { ...nothing, promotedToWarm: ARTIFACTS },
      { ...nothing, promotedToCold: ARTIFACTS },
      { ...nothing, purged: ARTIFACTS },
    ]);
    const stats = await tierkeep.tierStats();
    expect(stats.map(({ artifactCount }) => artifactCount)).toEqual([0, 0, 0]);
    console.info(
      `server's memory: idle ${idle.toFixed()} MiB, at most ${samples.highestMiB.toFixed()} MiB during the runs`,
    );
    expect(samples.count).toBeGreaterThan(10);
    expect(peakMiB(server.pid) - idle).toBeLessThan(MAX_GROWTH_MIB);
    await server.stop();
  }, 900_000);
});

async function runToEnd(tierkeep: Tierkeep, input: { readonly dryRun: boolean; readonly asOf: string }) {
  let { job } = await tierkeep.runLifecycle({ ...input, waitSeconds: 60 });
  while (job.status === "RUNNING") {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const now = await tierkeep.lifecycleJob({ id: job.id });
    if (now === null) throw new Error("the job is gone");
    job = now;
  }
  return job;
}

/** Writes small artifacts over 64 keep-alive connections. */
async function fill(server: Server): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  await forEachOf(
    Array(ARTIFACTS).keys(),
    (n) =>
      new Promise<void>((resolve, reject) => {
        const path = `/artifacts/tenant-${n % TENANTS}/workflow-${n % 7}/artifact-${n}.txt`;
        const outgoing = request(server.origin + path, { method: "PUT", agent }, (response) => {
          response.resume();
          response.on("end", () =>
            response.statusCode === 201 ? resolve() : reject(new Error(`${path}: ${response.statusCode}`)),
          );
        });
        outgoing.on("error", reject);
        outgoing.end(`artifact ${n}`);
      }),
    64,
  );
  agent.destroy();
}
