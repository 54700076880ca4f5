import { DAY_MS, daysToMs } from "@tierkeep/schema/domain/ages";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { LifecycleJob } from "@tierkeep/schema/services/jobs";
import { describe, expect, it } from "vitest";
import { IN_FILES } from "../../testing/catalog/sample-changes.ts";
import {
  ADMIN,
  crashingCatalog,
  JobsStore,
  key,
  NOW,
  POLICY,
  seed,
} from "../../testing/stores/jobs-store.ts";

const live = { dryRun: false, waitSeconds: 60 };
const dry = { dryRun: true, waitSeconds: 60 };
const auditBehind = new Refused("UNAVAILABLE", "The audit log cannot be written.");

function counts({ promotedToWarm, promotedToCold, purged, totalErrors }: LifecycleJob) {
  return { promotedToWarm, promotedToCold, purged, totalErrors };
}

describe("a lifecycle run", () => {
  it("moves due artifacts one tier down and purges due artifacts in COLD", async () => {
    await using world = await JobsStore.open([
      seed("a-fresh", "HOT", 6),
      seed("b-old", "HOT", 8),
      seed("c-cool", "WARM", 31),
      seed("d-frozen", "COLD", 91),
      seed("e-kept", "COLD", 89),
    ]);
    const { job, started } = await world.jobs().runLifecycle(ADMIN, live);
    expect(started).toBe(true);
    expect(job).toMatchObject({ status: "SUCCEEDED", progress: 1, error: null, finishedAt: NOW, asOf: NOW });
    expect(counts(job)).toEqual({ promotedToWarm: 1, promotedToCold: 1, purged: 1, totalErrors: 0 });
    expect(job.durationSeconds).toBeGreaterThan(0);
    expect(await world.tiers()).toEqual([
      "acme/a-fresh HOT",
      "acme/b-old WARM",
      "acme/c-cool COLD",
      "acme/e-kept COLD",
    ]);
    expect((await world.events(job.id)).map(({ type, artifactId }) => `${type} ${artifactId}`)).toEqual([
      "LIFECYCLE_JOB_STARTED null",
      "PURGED_FROM_COLD d-frozen",
      "PROMOTED_TO_COLD c-cool",
      "PROMOTED_TO_WARM b-old",
      "LIFECYCLE_JOB_COMPLETED null",
    ]);
  });

  it("does nothing at the exact threshold and everything a millisecond later", async () => {
    await using world = await JobsStore.open([{ key: key("edge"), tier: "HOT", ageMs: daysToMs(7) }]);
    const jobs = world.jobs();
    expect((await jobs.runLifecycle(ADMIN, live)).job.promotedToWarm).toBe(0);
    world.now += 1;
    expect((await jobs.runLifecycle(ADMIN, live)).job.promotedToWarm).toBe(1);
  });

  it("moves an artifact that is old enough for every tier only to the next tier", async () => {
    await using world = await JobsStore.open([seed("ancient", "HOT", 400)]);
    const jobs = world.jobs();
    const planned = (await jobs.runLifecycle(ADMIN, dry)).job;
    expect(counts(planned)).toMatchObject({ promotedToWarm: 1, promotedToCold: 0, purged: 0 });
    expect(counts((await jobs.runLifecycle(ADMIN, live)).job)).toEqual(counts(planned));
    expect(await world.tiers()).toEqual(["acme/ancient WARM"]);
  });

  it("keeps a restored artifact, however long ago it was written", async () => {
    await using world = await JobsStore.open([seed("restored", "COLD", 100), seed("promoted", "COLD", 100)]);
    for (const [as, artifactId] of [
      ["restore", "restored"],
      ["promote", "promoted"],
    ] as const) {
      await world.catalog.commit({
        kind: "move",
        storeIds: IN_FILES,
        at: NOW,
        actor: "tester",
        as,
        key: key(artifactId),
        fromTier: "COLD",
        toTier: "HOT",
        ifChecksum: null,
        dryRun: false,
      });
    }
    const jobs = world.jobs();
    world.now += 6 * DAY_MS;
    expect(counts((await jobs.runLifecycle(ADMIN, live)).job)).toMatchObject({
      promotedToWarm: 0,
      purged: 0,
    });
    expect(await world.tiers()).toEqual(["acme/promoted HOT", "acme/restored HOT"]);
  });

  it("handles only the given steps and tenant", async () => {
    await using world = await JobsStore.open([
      seed("h", "HOT", 8),
      seed("w", "WARM", 31),
      seed("h", "HOT", 8, "umbrella"),
    ]);
    const options = { ...live, tenantId: "acme", steps: ["PROMOTE_TO_WARM"] as const };
    const { job } = await world.jobs().runLifecycle(ADMIN, options);
    expect(job).toMatchObject({ tenantId: "acme", steps: ["PROMOTE_TO_WARM"] });
    expect(await world.tiers()).toEqual(["acme/h WARM", "acme/w WARM", "umbrella/h HOT"]);
  });

  it("writes two events and its items, and changes nothing, if dry", async () => {
    await using world = await JobsStore.open([seed("h", "HOT", 8), seed("c", "COLD", 91)]);
    const before = await world.rows();
    const { job } = await world.jobs().runLifecycle(ADMIN, dry);
    expect(await world.rows()).toEqual(before);
    expect((await world.items(job.id)).map(({ artifactId, outcome }) => [artifactId, outcome])).toEqual([
      ["c", "PLANNED"],
      ["h", "PLANNED"],
    ]);
    expect((await world.events(job.id)).map(({ type, dryRun }) => [type, dryRun])).toEqual([
      ["LIFECYCLE_JOB_STARTED", true],
      ["LIFECYCLE_JOB_COMPLETED", true],
    ]);
  });

  it("skips and reports artifacts that were overwritten after they were found due", async () => {
    await using world = await JobsStore.open([seed("busy", "HOT", 8), seed("idle", "HOT", 8)]);
    const engine = world.engine(world.catalog, async (batch) => {
      await world.catalog.commit({
        kind: "move",
        storeIds: IN_FILES,
        at: NOW,
        actor: "tester",
        as: "promote",
        key: key("busy"),
        fromTier: null,
        toTier: "COLD",
        ifChecksum: null,
        dryRun: false,
      });
      return world.catalog.commit(batch);
    });
    const { job } = await world.jobs({ engine }).runLifecycle(ADMIN, live);
    expect(job).toMatchObject({ status: "SUCCEEDED", promotedToWarm: 1, totalErrors: 0 });
    expect((await world.items(job.id)).map(({ artifactId, outcome }) => [artifactId, outcome])).toEqual([
      ["busy", "SKIPPED"],
      ["idle", "DONE"],
    ]);
    expect(await world.tiers()).toEqual(["acme/busy COLD", "acme/idle WARM"]);
  });

  it("continues after an artifact that fails, and counts it", async () => {
    await using world = await JobsStore.open([seed("bad", "HOT", 9), seed("good", "HOT", 8)]);
    const engine = world.engine(world.catalog, async (batch) => {
      const fails = batch.items.some(({ artifactId }, index) => artifactId === "bad" && !batch.failed[index]);
      if (fails) throw new Error("a disk failed");
      return world.catalog.commit(batch);
    });
    const { job } = await world.jobs({ engine }).runLifecycle(ADMIN, live);
    expect(job).toMatchObject({ status: "SUCCEEDED", promotedToWarm: 1, totalErrors: 1 });
    const [bad] = await world.items(job.id);
    expect(bad).toMatchObject({ artifactId: "bad", outcome: "FAILED", errorCode: "INTERNAL" });
    expect(bad?.error).not.toContain("disk");
    expect((await world.events(job.id)).map(({ type }) => type)).toContain("PROMOTION_ERROR");
  });

  it("purges nothing while the audit log cannot be written: one event, the other steps run, status BLOCKED", async () => {
    await using world = await JobsStore.open([
      seed("c1", "COLD", 91),
      seed("c2", "COLD", 91),
      seed("h", "HOT", 8),
    ]);
    world.refusal = auditBehind;
    const jobs = world.jobs({ batchSize: 1 });
    const { job } = await jobs.runLifecycle(ADMIN, live);
    expect(job).toMatchObject({ status: "BLOCKED", error: auditBehind.message });
    expect(counts(job)).toEqual({ promotedToWarm: 1, promotedToCold: 0, purged: 0, totalErrors: 0 });
    expect(await world.tiers()).toEqual(["acme/c1 COLD", "acme/c2 COLD", "acme/h WARM"]);
    expect((await world.events(job.id)).map(({ type, errorCode }) => [type, errorCode])).toEqual([
      ["LIFECYCLE_JOB_STARTED", null],
      ["LIFECYCLE_STEP_FAILED", "UNAVAILABLE"],
      ["PROMOTED_TO_WARM", null],
      ["LIFECYCLE_JOB_COMPLETED", "UNAVAILABLE"],
    ]);

    world.refusal = null;
    expect((await jobs.runLifecycle(ADMIN, live)).job).toMatchObject({ status: "SUCCEEDED", purged: 2 });
  });

  it("ends its purge step if a reindex adopts an artifact at that moment, without counting failed artifacts", async () => {
    await using world = await JobsStore.open([seed("c1", "COLD", 91), seed("h", "HOT", 8)]);
    const held = new Refused("HELD", "A reindex has adopted artifacts.", { jobId: "a reindex" });
    const engine = world.engine(world.catalog, async (batch) => {
      if (batch.step !== "PURGE") return world.catalog.commit(batch);
      world.refusal = held;
      throw held;
    });
    const { job } = await world.jobs({ engine }).runLifecycle(ADMIN, live);
    expect(job).toMatchObject({ status: "BLOCKED", error: held.message, totalErrors: 0, promotedToWarm: 1 });
    expect(await world.tiers()).toEqual(["acme/c1 COLD", "acme/h WARM"]);
  });

  it("is not blocked by the audit log if nothing is due for purging", async () => {
    await using world = await JobsStore.open([seed("c", "COLD", 89), seed("h", "HOT", 8)]);
    world.refusal = auditBehind;
    expect((await world.jobs().runLifecycle(ADMIN, live)).job).toMatchObject({ status: "SUCCEEDED" });
  });

  it("reports what would be purged for any state of the audit log, if dry", async () => {
    await using world = await JobsStore.open([seed("c", "COLD", 91)]);
    world.refusal = auditBehind;
    expect((await world.jobs().runLifecycle(ADMIN, dry)).job).toMatchObject({
      status: "SUCCEEDED",
      purged: 1,
    });
  });

  it("ends FAILED when the catalog takes no changes", async () => {
    await using world = await JobsStore.open([seed("h", "HOT", 8)]);
    const full = new Refused("STORAGE_FULL", "There is no space left. Free some.");
    const engine = world.engine(world.catalog, async () => {
      throw full;
    });
    const { job } = await world.jobs({ engine }).runLifecycle(ADMIN, live);
    expect(job).toMatchObject({ status: "FAILED", error: full.message });
    expect((await world.events(job.id)).at(-1)).toMatchObject({ errorCode: "STORAGE_FULL" });
  });

  it("stays blocked with one event after a crash at any write, even if the audit log works again", async () => {
    for (let lastWrite = 1; lastWrite <= 8; lastWrite++) {
      await using world = await JobsStore.open([seed("c", "COLD", 91), seed("h", "HOT", 8)]);
      const { catalog, crashed } = crashingCatalog(world.catalog, lastWrite);
      world.refusal = auditBehind;
      void world.jobs({ engine: world.engine(catalog) }).runLifecycle(ADMIN, live);
      await crashed;
      world.refusal = null;
      await world.jobs().resumeJobs();
      const { job } = await world.ended(await world.startedJob());
      const reported = (await world.events(job.id)).filter(
        ({ type }) => type === "LIFECYCLE_STEP_FAILED",
      ).length;
      // Writes 1 to 4 start the job, store its plan and seal it. Write 5 records that it is blocked.
      const blocked = lastWrite >= 5;
      expect({ lastWrite, status: job.status, reported }).toEqual({
        lastWrite,
        status: blocked ? "BLOCKED" : "SUCCEEDED",
        reported: blocked ? 1 : 0,
      });
      expect(await world.tiers()).toEqual(blocked ? ["acme/c COLD", "acme/h WARM"] : ["acme/h WARM"]);
    }
  });

  it("does not purge what it moved to COLD itself, after a crash at any write", async () => {
    for (let lastWrite = 1; lastWrite <= 8; lastWrite++) {
      await using world = await JobsStore.open([seed("w", "WARM", 91)]);
      world.refusal = auditBehind;
      const { catalog, crashed } = crashingCatalog(world.catalog, lastWrite);
      const first = world.jobs({ engine: world.engine(catalog) }).runLifecycle(ADMIN, live);
      await Promise.race([first, crashed]);
      await world.jobs().resumeJobs();
      const { job } = await world.ended(await world.startedJob());
      expect({ lastWrite, status: job.status }).toEqual({ lastWrite, status: "SUCCEEDED" });
      expect(await world.tiers()).toEqual(["acme/w COLD"]);
    }
  });

  it("keeps what the policy in force keeps, if resumed under a stricter policy", async () => {
    await using world = await JobsStore.open([seed("h1", "HOT", 9), seed("h2", "HOT", 8)]);
    // The job is started, its plan stored and sealed, and the first batch committed.
    const { catalog, crashed } = crashingCatalog(world.catalog, 4);
    void world.jobs({ engine: world.engine(catalog), batchSize: 1 }).runLifecycle(ADMIN, live);
    await crashed;
    const id = await world.startedJob();
    await world.jobs({ policy: () => ({ ...POLICY, hotDays: 20 }) }).resumeJobs();
    await world.ended(id);
    expect(await world.tiers()).toEqual(["acme/h1 WARM", "acme/h2 HOT"]);
    expect((await world.items(id)).map(({ outcome }) => outcome)).toEqual(["DONE", "SKIPPED"]);
  });
});
