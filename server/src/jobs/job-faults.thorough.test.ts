import { Refused } from "@tierkeep/schema/domain/refusals";
import type { JobService } from "@tierkeep/schema/services/jobs";
import { afterAll, describe, expect, it } from "vitest";
import { lifecycleJob, startJob, whole } from "../../testing/catalog/sample-changes.ts";
import { CODES, type Fault, FaultInjector } from "../../testing/faults/fault-injector.ts";
import { ADMIN, JobsStore, NOW, type Seed, seed } from "../../testing/stores/jobs-store.ts";

/** A job, the artifacts before it, and their tiers after it has done everything. */
interface Case {
  readonly seeds: (round: number) => readonly Seed[];
  readonly start: (jobs: JobService, round: number) => Promise<unknown>;
  readonly after: (round: number) => readonly string[];
  /** Number of artifact events, one per artifact. */
  readonly events: number;
}

const CASES: Readonly<Record<string, Case>> = {
  "a lifecycle run": {
    seeds: (round) => [
      seed(`${round}-h`, "HOT", 8),
      seed(`${round}-w`, "WARM", 31),
      seed(`${round}-c`, "COLD", 91),
    ],
    start: (jobs) => jobs.runLifecycle(ADMIN, { dryRun: false, waitSeconds: 60 }),
    after: (round) => [`acme/${round}-h WARM`, `acme/${round}-w COLD`],
    events: 3,
  },
  "a bulk restore": {
    seeds: (round) => [
      seed(`${round}-w`, "WARM", 1, `t${round}`),
      seed(`${round}-c`, "COLD", 1, `t${round}`),
    ],
    start: (jobs, round) =>
      jobs.restoreArtifacts(ADMIN, {
        where: { tenantId: `t${round}` },
        toTier: "HOT",
        dryRun: false,
        waitSeconds: 60,
      }),
    after: (round) => [`t${round}/${round}-c HOT`, `t${round}/${round}-w HOT`],
    events: 2,
  },
};

let faults = 0;

afterAll(() => console.log(`${faults} faults`));

describe.each(Object.entries(CASES))("%s", (_name, { seeds, start, after, events }) => {
  it.concurrent.each(CODES)(
    "with a failing call (%s) ends, and with the next job processes each artifact exactly once",
    async (code) => {
      const injector = new FaultInjector();
      await using world = await JobsStore.open([], {
        faults: injector.writing,
        readFaults: injector.reading,
        probeDelaysMs: [0],
      });
      const jobs = world.jobs({ batchSize: 1 });
      for (let nth = 1; ; nth++) {
        await world.add(seeds(nth));
        const seqBefore = await world.catalog.lastSeq();
        const struck = await runWithFault(world, injector, { code, nth, lasting: false }, () =>
          start(jobs, nth),
        );
        // The next job does what this one could not.
        await start(jobs, nth);
        expect((await world.tiers()).filter((line) => line.includes(`/${nth}-`))).toEqual(after(nth));
        const logged = await world.catalog.listEvents({}, "ASC", { ...whole(), after: seqBefore });
        const moves = logged.filter(({ artifactId, errorCode }) => artifactId !== null && errorCode === null);
        expect(moves.map(({ artifactId }) => artifactId?.split("-")[0])).toEqual(
          Array(events).fill(`${nth}`),
        );
        if (!struck) break;
        faults += 1;
      }
    },
    300_000,
  );
});

describe("a job whose start has an unknown outcome", () => {
  it.each(CODES)("does not exist, or runs without a restart: %s", async (code) => {
    const injector = new FaultInjector();
    await using world = await JobsStore.open([seed("h", "HOT", 8)], {
      faults: injector.writing,
      readFaults: injector.reading,
      probeDelaysMs: [0],
    });
    const jobs = world.jobs({ batchSize: 1 });
    for (let nth = 1; ; nth++) {
      // A successful commit, so that each round starts with a catalog whose state is certain.
      await world.add([seed(`young-${nth}`, "HOT", 0)]);
      injector.arm({ code, nth, lasting: true });
      const refused = await jobs.runLifecycle(ADMIN, { dryRun: false, waitSeconds: 0 }).then(
        () => null,
        (error: Error) => error,
      );
      injector.lift();
      await expect.poll(() => world.catalog.runningJobs(), { timeout: 20_000 }).toEqual([]);
      if (refused === null) break;
      expect(refused, refused.stack).toBeInstanceOf(Refused);
      faults += 1;
    }
    const { job } = await jobs.runLifecycle(ADMIN, { dryRun: false, waitSeconds: 60 });
    const old = (await world.tiers()).filter((line) => !line.includes("young"));
    expect([job.status, old]).toEqual(["SUCCEEDED", ["acme/h WARM"]]);
  });
});

describe("cancelling a job", () => {
  it.each(CODES)("succeeds or can be repeated after any failing call: %s", async (code) => {
    const injector = new FaultInjector();
    await using world = await JobsStore.open([], {
      faults: injector.writing,
      readFaults: injector.reading,
      probeDelaysMs: [0],
    });
    for (let nth = 1; ; nth++) {
      // No runner drives the job yet, so it does not end before it is cancelled.
      const job = lifecycleJob({ startedAt: NOW, asOf: NOW });
      await world.catalog.commit(startJob(job));
      const jobs = world.jobs({ batchSize: 1 });
      injector.arm({ code, nth, lasting: true });
      const refused = await jobs.cancel(ADMIN, job.id).then(
        () => null,
        (error: Error) => error,
      );
      const struck = injector.lift().size > 0;
      if (refused === null) expect((await world.catalog.jobs([job.id]))[0]?.cancelRequested).toBe(true);
      else {
        expect(refused, refused.stack).toBeInstanceOf(Refused);
        await jobs.cancel(ADMIN, job.id);
      }
      await jobs.resumeJobs();
      await expect.poll(() => world.catalog.runningJobs(), { timeout: 20_000 }).toEqual([]);
      expect((await world.catalog.jobs([job.id]))[0]?.job.status).toBe("CANCELLED");
      if (!struck) break;
      faults += 1;
    }
  });
});

/**
 * Starts a job with one failing call. Checks the error code, and resolves when every job has ended. True: a
 * call failed.
 */
async function runWithFault(
  world: JobsStore,
  injector: FaultInjector,
  fault: Fault,
  start: () => Promise<unknown>,
): Promise<boolean> {
  injector.arm(fault);
  const refused = await start().then(
    () => null,
    (error: Error) => error,
  );
  const struck = injector.lift().size > 0;
  if (refused !== null) {
    expect(refused, refused.stack).toBeInstanceOf(Refused);
    expect((refused as Refused).code).toBe(fault.code === "ENOSPC" ? "STORAGE_FULL" : "UNAVAILABLE");
  }
  while ((await world.catalog.runningJobs()).length > 0)
    await new Promise((resolve) => setTimeout(resolve, 5));
  return struck;
}
