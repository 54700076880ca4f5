import { Refused } from "@tierkeep/schema/domain/refusals";
import type { RunLifecycleOptions } from "@tierkeep/schema/services/jobs";
import { describe, expect, it } from "vitest";
import {
  ADMIN,
  crashingCatalog,
  JobsStore,
  key,
  NOW,
  POLICY,
  seed,
} from "../../testing/stores/jobs-store.ts";
import type { Engine } from "../jobs/job-engine.ts";

const live = { dryRun: false, waitSeconds: 60 };
const firstPage = { limit: 50, backward: false, after: null, before: null };

/** Returns an engine that blocks batches until they are released, and counts started batches. */
function blockedEngine(world: JobsStore): {
  engine: Engine;
  batchStarted: () => Promise<void>;
  release: () => void;
} {
  const gate = Promise.withResolvers<void>();
  const batchStarted = Promise.withResolvers<void>();
  const engine = world.engine(world.catalog, async (batch) => {
    batchStarted.resolve();
    await gate.promise;
    return world.catalog.commit(batch);
  });
  return { engine, batchStarted: () => batchStarted.promise, release: gate.resolve };
}

describe("EngineJobs", () => {
  it("returns the RUNNING job after the wait, and the job continues", async () => {
    await using world = await JobsStore.open([seed("h", "HOT", 8)]);
    const { engine, release } = blockedEngine(world);
    const { job } = await world.jobs({ engine }).runLifecycle(ADMIN, { ...live, waitSeconds: 0 });
    expect(job).toMatchObject({ status: "RUNNING", finishedAt: null, durationSeconds: null, progress: 0 });
    release();
    expect((await world.ended(job.id)).job).toMatchObject({ status: "SUCCEEDED", promotedToWarm: 1 });
  });

  it("allows one live run at a time: an equal request joins it, a different one is a CONFLICT", async () => {
    await using world = await JobsStore.open([seed("h", "HOT", 8)]);
    const { engine, batchStarted, release } = blockedEngine(world);
    const jobs = world.jobs({ engine });
    const asked: RunLifecycleOptions = { ...live, tenantId: "acme", steps: ["PURGE", "PROMOTE_TO_WARM"] };
    const first = jobs.runLifecycle(ADMIN, asked);
    await batchStarted();
    const [running] = await world.catalog.runningJobs();
    const jobId = running?.job.id;

    const again = { ...asked, steps: ["PROMOTE_TO_WARM", "PURGE", "PURGE"] as const, waitSeconds: 0 };
    expect(await jobs.runLifecycle(ADMIN, again)).toMatchObject({ started: false, job: { id: jobId } });
    for (const other of [live, { ...asked, tenantId: "umbrella" }, { ...asked, asOf: NOW }]) {
      await expect(jobs.runLifecycle(ADMIN, other)).rejects.toMatchObject({
        code: "CONFLICT",
        facts: { jobId },
      });
    }
    const dry = await jobs.runLifecycle(ADMIN, { ...asked, dryRun: true, waitSeconds: 0 });
    expect(dry.started).toBe(true);

    const joined = jobs.runLifecycle(ADMIN, asked);
    release();
    expect((await first).job).toMatchObject({ status: "SUCCEEDED", id: jobId });
    expect(await joined).toMatchObject({ started: false, job: { status: "SUCCEEDED", id: jobId } });
    expect((await jobs.runLifecycle(ADMIN, live)).started).toBe(true);
  });

  it("returns the first job in its current state to a retry, even with a different waitSeconds", async () => {
    await using world = await JobsStore.open([seed("h", "HOT", 8), seed("c", "COLD", 31)]);
    const { engine, batchStarted, release } = blockedEngine(world);
    const jobs = world.jobs({ engine });
    const once = { ...live, waitSeconds: 0, idempotencyKey: "k" };
    const { job } = await jobs.runLifecycle(ADMIN, once);
    expect(job.status).toBe("RUNNING");
    await batchStarted();
    const again = jobs.runLifecycle(ADMIN, { ...once, waitSeconds: 60 });
    release();
    expect(await again).toMatchObject({ started: true, job: { id: job.id, status: "SUCCEEDED" } });
    await expect(jobs.runLifecycle(ADMIN, { ...once, dryRun: true })).rejects.toMatchObject({
      code: "CONFLICT",
      facts: { argument: "idempotencyKey" },
    });

    const where = { tenantId: "acme", olderThanDays: 1 };
    const restore = { where, toTier: "HOT", dryRun: false, waitSeconds: 60, idempotencyKey: "r" } as const;
    const restored = await jobs.restoreArtifacts(ADMIN, restore);
    world.now += 1000;
    expect(await jobs.restoreArtifacts(ADMIN, restore)).toEqual(restored);
    await expect(jobs.restoreArtifacts(ADMIN, { ...restore, toTier: "WARM" })).rejects.toMatchObject({
      code: "CONFLICT",
    });

    expect(await jobs.cancel(ADMIN, job.id, "c")).toMatchObject({ id: job.id, status: "SUCCEEDED" });
    expect(await jobs.cancel(ADMIN, job.id, "c")).toMatchObject({ id: job.id, status: "SUCCEEDED" });
    await expect(jobs.cancel(ADMIN, restored.id, "c")).rejects.toMatchObject({ code: "CONFLICT" });
    const started = await world.catalog.countEvents({ types: ["LIFECYCLE_JOB_STARTED"] });
    expect(started).toBe(2);
  });

  it("does not store the CONFLICT with another run, so that a retry can start", async () => {
    await using world = await JobsStore.open([seed("h", "HOT", 8)]);
    const { engine, batchStarted, release } = blockedEngine(world);
    const jobs = world.jobs({ engine });
    const first = jobs.runLifecycle(ADMIN, live);
    await batchStarted();
    const kept = { ...live, tenantId: "acme", idempotencyKey: "k" };
    await expect(jobs.runLifecycle(ADMIN, kept)).rejects.toMatchObject({ code: "CONFLICT" });
    release();
    await first;
    expect(await jobs.runLifecycle(ADMIN, kept)).toMatchObject({ started: true });
  });

  it("accepts an instant for a live run only if the server allows it", async () => {
    await using world = await JobsStore.open();
    const jobs = world.jobs({ allowAsOf: false });
    const refused = jobs.runLifecycle(ADMIN, { ...live, asOf: NOW });
    await expect(refused).rejects.toMatchObject({ code: "BAD_USER_INPUT", facts: { argument: "asOf" } });
    await expect(refused).rejects.toThrow("TIERKEEP_ALLOW_AS_OF");
    const { job } = await jobs.runLifecycle(ADMIN, { ...live, dryRun: true, asOf: NOW + 5 });
    expect(job).toMatchObject({ status: "SUCCEEDED", asOf: NOW + 5 });
  });

  it("rejects invalid input before anything is written", async () => {
    await using world = await JobsStore.open();
    const jobs = world.jobs();
    const refusals = [
      [{ ...live, steps: [] }, "BAD_USER_INPUT", "steps"],
      [{ ...live, waitSeconds: -1 }, "BAD_USER_INPUT", "waitSeconds"],
      [{ ...live, waitSeconds: 1.5 }, "BAD_USER_INPUT", "waitSeconds"],
      [{ ...live, tenantId: "a/b" }, "INVALID_IDENTIFIER", "tenantId"],
    ] as const;
    for (const [options, code, argument] of refusals) {
      await expect(jobs.runLifecycle(ADMIN, options)).rejects.toMatchObject({ code, facts: { argument } });
    }
    expect(await world.catalog.lastSeq()).toBe(0);
  });

  it("cancels a running job before its next batch, and keeps completed work", async () => {
    await using world = await JobsStore.open([seed("h1", "HOT", 9), seed("h2", "HOT", 8)]);
    const { engine, batchStarted, release } = blockedEngine(world);
    const jobs = world.jobs({ engine, batchSize: 1 });
    const run = jobs.runLifecycle(ADMIN, live);
    await batchStarted();
    const [running] = await world.catalog.runningJobs();
    const cancelled = jobs.cancel(ADMIN, running?.job.id ?? "");
    while (!(await world.catalog.runningJobs())[0]?.cancelRequested) await Promise.resolve();
    release();
    expect(await cancelled).toMatchObject({ status: "CANCELLED", promotedToWarm: 1, error: null });
    expect((await run).job.status).toBe("CANCELLED");
    expect(await world.tiers()).toEqual(["acme/h1 WARM", "acme/h2 HOT"]);
    expect((await jobs.cancel(ADMIN, running?.job.id ?? "")).status).toBe("CANCELLED");
    await expect(jobs.cancel(ADMIN, "missing")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("cancels a job whose cancel was stored before a crash", async () => {
    await using world = await JobsStore.open([seed("h", "HOT", 8)]);
    const { catalog, crashed } = crashingCatalog(world.catalog, 2);
    const jobs = world.jobs({ engine: world.engine(catalog) });
    const { job } = await jobs.runLifecycle(ADMIN, { ...live, waitSeconds: 0 });
    await crashed;
    await world.catalog.commit({ kind: "requestCancel", jobId: job.id });
    await world.jobs().resumeJobs();
    expect((await world.ended(job.id)).job.status).toBe("CANCELLED");
    expect(await world.tiers()).toEqual(["acme/h HOT"]);
  });

  it("on stop, returns to waiting callers immediately and pauses the job, which resumes at the next start", async () => {
    await using world = await JobsStore.open([seed("h1", "HOT", 9), seed("h2", "HOT", 8)]);
    const { engine, batchStarted, release } = blockedEngine(world);
    const jobs = world.jobs({ engine, batchSize: 1 });
    const run = jobs.runLifecycle(ADMIN, live);
    await batchStarted();
    const stopped = jobs.stop();
    const { job } = await run;
    expect(job.status).toBe("RUNNING");
    release();
    await stopped;
    expect(await world.tiers()).toEqual(["acme/h1 WARM", "acme/h2 HOT"]);
    await expect(jobs.runLifecycle(ADMIN, live)).rejects.toMatchObject({ code: "UNAVAILABLE" });

    const [paused] = await world.catalog.runningJobs();
    await world.jobs().resumeJobs();
    const { job: ended } = await world.ended(job.id);
    expect(ended).toMatchObject({ status: "SUCCEEDED", promotedToWarm: 2 });
    expect(ended.durationSeconds).toBeGreaterThan(paused?.workSeconds ?? 0);
    expect(await world.tiers()).toEqual(["acme/h1 WARM", "acme/h2 WARM"]);
  });

  it("does not treat a shutdown as a failure", async () => {
    await using world = await JobsStore.open([seed("h", "HOT", 8)]);
    const batchStarted = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<never>();
    const engine = world.engine(world.catalog, () => {
      batchStarted.resolve();
      return gate.promise;
    });
    const jobs = world.jobs({ engine });
    const { job } = await jobs.runLifecycle(ADMIN, { ...live, waitSeconds: 0 });
    await batchStarted.promise;
    const stopped = jobs.stop();
    gate.reject(new Refused("UNAVAILABLE", "The server is shutting down."));
    await stopped;
    expect((await world.catalog.runningJobs()).map((row) => row.job.id)).toEqual([job.id]);
  });

  it("writes the end of a job as soon as the catalog accepts changes again", async () => {
    await using world = await JobsStore.open();
    let refusals = 0;
    const catalog = new Proxy(world.catalog, {
      get: (target, name) => {
        if (name !== "commit") {
          const value: unknown = Reflect.get(target, name);
          return typeof value === "function" ? value.bind(target) : value;
        }
        return async (change: Parameters<typeof target.commit>[0]) => {
          if (change.kind === "finishJob" && refusals++ === 0) throw new Refused("STORAGE_FULL", "No room.");
          return target.commit(change);
        };
      },
    });
    const jobs = world.jobs({ engine: world.engine(catalog) });
    expect((await jobs.runLifecycle(ADMIN, live)).job.status).toBe("SUCCEEDED");
    expect(refusals).toBe(2);
    await jobs.stop();
  });

  it("shows progress between batches", async () => {
    await using world = await JobsStore.open([seed("h1", "HOT", 9), seed("h2", "HOT", 8)]);
    const second = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    let batches = 0;
    const engine = world.engine(world.catalog, async (batch) => {
      if (++batches === 2) {
        second.resolve();
        await gate.promise;
      }
      return world.catalog.commit(batch);
    });
    const jobs = world.jobs({ engine, batchSize: 1 });
    const run = jobs.runLifecycle(ADMIN, live);
    await second.promise;
    const [running] = await world.catalog.runningJobs();
    expect(running?.job.progress).toBe(0.5);
    gate.resolve();
    expect((await run).job.progress).toBe(1);
  });

  it("lists runs newest first, finds the last finished one, and pages through items by key", async () => {
    await using world = await JobsStore.open([
      seed("b", "HOT", 9),
      seed("a", "HOT", 8),
      seed("c", "COLD", 91),
    ]);
    const jobs = world.jobs();
    const ids: string[] = [];
    for (const dryRun of [true, false, true]) {
      world.now += 1000;
      ids.push((await jobs.runLifecycle(ADMIN, { ...live, dryRun })).job.id);
    }
    await jobs.restoreArtifacts(ADMIN, { keys: [key("a")], toTier: "HOT", dryRun: true, waitSeconds: 60 });

    const page = await jobs.listLifecycle(ADMIN, { ...firstPage, limit: 2 });
    expect(page.edges.map(({ node }) => node.id)).toEqual([ids[2], ids[1]]);
    expect(await page.totalCount()).toBe(3);
    const rest = await jobs.listLifecycle(ADMIN, { ...firstPage, after: page.edges[1]?.cursor ?? null });
    expect(rest.edges.map(({ node }) => node.id)).toEqual([ids[0]]);
    expect(rest).toMatchObject({ hasPreviousPage: true, hasNextPage: false });

    expect((await jobs.last(ADMIN))?.id).toBe(ids[2]);
    expect((await jobs.last(ADMIN, false))?.id).toBe(ids[1]);
    expect((await jobs.getMany(ADMIN, [ids[0] ?? "", "missing"])).map((job) => job?.id ?? null)).toEqual([
      ids[0],
      null,
    ]);

    const items = await jobs.items(ADMIN, ids[1] ?? "", { ...firstPage, limit: 2 });
    expect(items.edges.map(({ node }) => node.artifactId)).toEqual(["a", "b"]);
    const cursor = items.edges[1]?.cursor ?? null;
    const more = await jobs.items(ADMIN, ids[1] ?? "", { ...firstPage, after: cursor });
    expect(more.edges.map(({ node }) => node.artifactId)).toEqual(["c"]);
    await expect(jobs.items(ADMIN, ids[0] ?? "", { ...firstPage, after: cursor })).rejects.toMatchObject({
      code: "CURSOR_INVALID",
    });
  });

  it("keeps the items of the last hundred runs", async () => {
    await using world = await JobsStore.open([seed("h", "HOT", 8)]);
    const jobs = world.jobs();
    const ids: string[] = [];
    for (let run = 0; run < 101; run++) {
      world.now += 1;
      ids.push((await jobs.runLifecycle(ADMIN, { ...live, dryRun: true })).job.id);
    }
    await jobs.stop();
    expect(await world.items(ids[0] ?? "")).toEqual([]);
    expect(await world.items(ids[1] ?? "")).toHaveLength(1);
    expect((await world.catalog.jobs([ids[0] ?? ""]))[0]?.job).toMatchObject({
      promotedToWarm: 1,
      retentionPolicy: POLICY,
    });
  });
});
