import { Refused } from "@tierkeep/schema/domain/refusals";
import type { JobService } from "@tierkeep/schema/services/jobs";
import { afterAll, describe, expect, it } from "vitest";
import { lifecycleJob, startJob, whole } from "../../testing/catalog/sample-changes.ts";
import { CODES, type Fault, FaultInjector } from "../../testing/faults/fault-injector.ts";
import { ADMIN, JobsStore, NOW, type Seed, seed } from "../../testing/stores/jobs-store.ts";

/** A job, what it finds, and how all of that stands once it has done everything. */
interface Case {
  readonly seeds: (round: number) => readonly Seed[];
  readonly ask: (jobs: JobService, round: number) => Promise<unknown>;
  readonly after: (round: number) => readonly string[];
  /** Events of the artifacts, one each. */
  readonly events: number;
}

const CASES: Readonly<Record<string, Case>> = {
  "a lifecycle run": {
    seeds: (round) => [
      seed(`${round}-h`, "HOT", 8),
      seed(`${round}-w`, "WARM", 31),
      seed(`${round}-c`, "COLD", 91),
    ],
    ask: (jobs) => jobs.runLifecycle(ADMIN, { dryRun: false, waitSeconds: 60 }),
    after: (round) => [`acme/${round}-h WARM`, `acme/${round}-w COLD`],
    events: 3,
  },
  "a bulk restore": {
    seeds: (round) => [
      seed(`${round}-w`, "WARM", 1, `t${round}`),
      seed(`${round}-c`, "COLD", 1, `t${round}`),
    ],
    ask: (jobs, round) =>
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

describe.each(Object.entries(CASES))("%s", (_name, { seeds, ask, after, events }) => {
  it.concurrent.each(CODES)(
    "of which a call fails (%s) ends, and it and the next one together treat each artifact once",
    async (code) => {
      const trouble = new FaultInjector();
      await using world = await JobsStore.open([], {
        faults: trouble.writing,
        readFaults: trouble.reading,
        probeDelaysMs: [0],
      });
      const jobs = world.jobs({ batchSize: 1 });
      for (let nth = 1; ; nth++) {
        await world.add(seeds(nth));
        const seqBefore = await world.catalog.lastSeq();
        const struck = await suffer(world, trouble, { code, nth, lasting: false }, () => ask(jobs, nth));
        // What it left undone, the next one does.
        await ask(jobs, nth);
        expect((await world.stands()).filter((stand) => stand.includes(`/${nth}-`))).toEqual(after(nth));
        const told = await world.catalog.listEvents({}, "ASC", { ...whole(), after: seqBefore });
        const moves = told.filter(({ artifactId, errorCode }) => artifactId !== null && errorCode === null);
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

describe("a job whose start has no certain answer", () => {
  it.each(CODES)("is none, or is done without a restart: %s", async (code) => {
    const trouble = new FaultInjector();
    await using world = await JobsStore.open([seed("h", "HOT", 8)], {
      faults: trouble.writing,
      readFaults: trouble.reading,
      probeDelaysMs: [0],
    });
    const jobs = world.jobs({ batchSize: 1 });
    for (let nth = 1; ; nth++) {
      // So that each begins with a catalog that knows where it stands.
      await world.add([seed(`young-${nth}`, "HOT", 0)]);
      trouble.arm({ code, nth, lasting: true });
      const refused = await jobs.runLifecycle(ADMIN, { dryRun: false, waitSeconds: 0 }).then(
        () => null,
        (error: Error) => error,
      );
      trouble.lift();
      await expect.poll(() => world.catalog.runningJobs(), { timeout: 20_000 }).toEqual([]);
      if (refused === null) break;
      expect(refused, refused.stack).toBeInstanceOf(Refused);
      faults += 1;
    }
    const { job } = await jobs.runLifecycle(ADMIN, { dryRun: false, waitSeconds: 60 });
    const old = (await world.stands()).filter((stand) => !stand.includes("young"));
    expect([job.status, old]).toEqual(["SUCCEEDED", ["acme/h WARM"]]);
  });
});

describe("a job that is to be cancelled", () => {
  it.each(CODES)("is, or may be asked for that again, whichever call fails: %s", async (code) => {
    const trouble = new FaultInjector();
    await using world = await JobsStore.open([], {
      faults: trouble.writing,
      readFaults: trouble.reading,
      probeDelaysMs: [0],
    });
    for (let nth = 1; ; nth++) {
      // Nobody drives it yet, so that it is still there to be cancelled.
      const job = lifecycleJob({ startedAt: NOW, asOf: NOW });
      await world.catalog.commit(startJob(job));
      const jobs = world.jobs({ batchSize: 1 });
      trouble.arm({ code, nth, lasting: true });
      const refused = await jobs.cancel(ADMIN, job.id).then(
        () => null,
        (error: Error) => error,
      );
      const struck = trouble.lift().size > 0;
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

/** True: a call failed. What was refused is refused with the right code, and every job has ended once this resolves. */
async function suffer(
  world: JobsStore,
  trouble: FaultInjector,
  fault: Fault,
  ask: () => Promise<unknown>,
): Promise<boolean> {
  trouble.arm(fault);
  const refused = await ask().then(
    () => null,
    (error: Error) => error,
  );
  const struck = trouble.lift().size > 0;
  if (refused !== null) {
    expect(refused, refused.stack).toBeInstanceOf(Refused);
    expect((refused as Refused).code).toBe(fault.code === "ENOSPC" ? "STORAGE_FULL" : "UNAVAILABLE");
  }
  while ((await world.catalog.runningJobs()).length > 0)
    await new Promise((resolve) => setTimeout(resolve, 5));
  return struck;
}
