import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { TIERS, type Tier } from "@tierkeep/schema/domain/tiers";
import type { RestoreJob } from "@tierkeep/schema/services/jobs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ADMIN,
  crashingCatalog,
  JobsStore,
  key,
  NOW,
  type Seed,
  seed,
} from "../../testing/stores/jobs-store.ts";

const hot = { toTier: "HOT", dryRun: false, waitSeconds: 60 } as const;

function counts({ restoredCount, skippedCount, totalErrors }: RestoreJob) {
  return { restoredCount, skippedCount, totalErrors };
}

describe("a bulk restore", () => {
  it("by keys restores each artifact once, skips what is hot enough, and counts what is missing", async () => {
    await using world = await JobsStore.open([
      seed("c", "COLD", 50),
      seed("w", "WARM", 10),
      seed("h", "HOT", 1),
    ]);
    const keys = [key("c"), key("gone"), key("w"), key("h"), key("c")];
    const batches: number[] = [];
    const engine = world.engine(world.catalog, (batch) => {
      batches.push(batch.items.length);
      return world.catalog.commit(batch);
    });
    const job = await world.jobs({ engine, batchSize: 3 }).restoreArtifacts(ADMIN, { ...hot, keys });
    expect(batches).toEqual([3, 1]);
    expect(job).toMatchObject({ status: "SUCCEEDED", progress: 1, tenantId: "acme", toTier: "HOT" });
    expect(job.durationSeconds).toBeGreaterThan(0);
    expect(counts(job)).toEqual({ restoredCount: 2, skippedCount: 1, totalErrors: 1 });
    expect(await world.tiers()).toEqual(["acme/c HOT", "acme/h HOT", "acme/w HOT"]);
    expect((await world.events(job.id)).map(({ type, artifactId }) => `${type} ${artifactId}`)).toEqual([
      "LIFECYCLE_JOB_STARTED null",
      "ARTIFACT_RESTORED c",
      "RESTORE_ERROR gone",
      "ARTIFACT_RESTORED w",
      "LIFECYCLE_JOB_COMPLETED null",
    ]);
  });

  it("resets the age of restored artifacts", async () => {
    await using world = await JobsStore.open([seed("c", "COLD", 50)]);
    await world.jobs().restoreArtifacts(ADMIN, { ...hot, keys: [key("c")] });
    expect((await world.rows())[0]).toMatchObject({ ageSince: NOW, promotedFrom: "COLD" });
  });

  it("has no tenant if its keys belong to several tenants", async () => {
    await using world = await JobsStore.open([
      seed("a", "COLD", 1, "acme"),
      seed("a", "COLD", 1, "umbrella"),
    ]);
    const keys = [key("a", "acme"), key("a", "umbrella")];
    const job = await world.jobs().restoreArtifacts(ADMIN, { ...hot, keys });
    expect(job).toMatchObject({ tenantId: null, restoredCount: 2 });
  });

  it("by filter restores colder artifacts of that tenant only", async () => {
    await using world = await JobsStore.open([
      ...["1", "2", "3", "4", "5"].map((name) => seed(`c${name}`, "COLD", 50)),
      seed("h", "HOT", 1),
      seed("w", "WARM", 10),
      seed("c", "COLD", 50, "umbrella"),
    ]);
    const where = { tenantId: "acme" };
    const job = await world.jobs({ batchSize: 2 }).restoreArtifacts(ADMIN, { ...hot, toTier: "WARM", where });
    expect(counts(job)).toEqual({ restoredCount: 5, skippedCount: 0, totalErrors: 0 });
    expect((await world.tiers()).filter((line) => line.endsWith("COLD"))).toEqual(["umbrella/c COLD"]);
  });

  it("by filter counts artifacts in requested tiers that are hot enough as skipped", async () => {
    await using world = await JobsStore.open([seed("h", "HOT", 1), seed("w", "WARM", 10)]);
    const job = await world
      .jobs()
      .restoreArtifacts(ADMIN, { ...hot, where: { tenantId: "acme", tiers: TIERS } });
    expect(counts(job)).toEqual({ restoredCount: 1, skippedCount: 1, totalErrors: 0 });
  });

  it("by filter computes ages at the start", async () => {
    await using world = await JobsStore.open([seed("old", "COLD", 50), seed("young", "COLD", 9.9)]);
    const engine = world.engine(world.catalog, (batch) => {
      world.now += DAY_MS;
      return world.catalog.commit(batch);
    });
    const where = { tenantId: "acme", olderThanDays: 10 };
    const job = await world.jobs({ engine, batchSize: 1 }).restoreArtifacts(ADMIN, { ...hot, where });
    expect(job.restoredCount).toBe(1);
    expect(await world.tiers()).toEqual(["acme/old HOT", "acme/young COLD"]);
  });

  it("to COLD has nothing to do", async () => {
    await using world = await JobsStore.open([seed("h", "HOT", 1), seed("c", "COLD", 10)]);
    const where = { tenantId: "acme" };
    const job = await world.jobs().restoreArtifacts(ADMIN, { ...hot, toTier: "COLD", where });
    expect(job).toMatchObject({ status: "SUCCEEDED", restoredCount: 0, skippedCount: 0 });
  });

  it("counts what it would do and changes nothing, if dry", async () => {
    await using world = await JobsStore.open([seed("c", "COLD", 50), seed("h", "HOT", 1)]);
    const before = await world.rows();
    const keys = [key("c"), key("h"), key("gone")];
    const job = await world.jobs().restoreArtifacts(ADMIN, { ...hot, dryRun: true, keys });
    expect(counts(job)).toEqual({ restoredCount: 1, skippedCount: 1, totalErrors: 1 });
    expect(await world.rows()).toEqual(before);
    expect((await world.events(job.id)).map(({ type }) => type)).toEqual([
      "LIFECYCLE_JOB_STARTED",
      "LIFECYCLE_JOB_COMPLETED",
    ]);
  });

  it("accepts either keys or a filter, within limits", async () => {
    await using world = await JobsStore.open();
    const jobs = world.jobs();
    const refusals = [
      [{ ...hot }, "BAD_USER_INPUT", "keys"],
      [{ ...hot, keys: [key("a")], where: { tenantId: "acme" } }, "BAD_USER_INPUT", "keys"],
      [{ ...hot, keys: [] }, "BAD_USER_INPUT", "keys"],
      [
        { ...hot, keys: Array.from({ length: 501 }, (_, index) => key(`a${index}`)) },
        "BAD_USER_INPUT",
        "keys",
      ],
      [{ ...hot, keys: [key("a"), key("..")] }, "INVALID_IDENTIFIER", "keys.1.artifactId"],
      [{ ...hot, where: {} }, "BAD_USER_INPUT", "where.tenantId"],
      [{ ...hot, where: { tenantId: "." } }, "INVALID_IDENTIFIER", "where.tenantId"],
      [{ ...hot, keys: [key("a")], waitSeconds: 61 }, "BAD_USER_INPUT", "waitSeconds"],
    ] as const;
    for (const [options, code, argument] of refusals) {
      await expect(jobs.restoreArtifacts(ADMIN, options)).rejects.toMatchObject({
        code,
        facts: { argument },
      });
    }
    expect(await world.catalog.lastSeq()).toBe(0);
  });

  it("has the same result after a crash at any write and a restart as an uninterrupted one", async () => {
    const anySeeds = fc.array(fc.constantFrom<Tier>(...TIERS), { maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(
        anySeeds,
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 1, max: 12 }),
        async (tiers, byKeys, dryRun, lastWrite) => {
          const seeds = tiers.map((tier, index): Seed => seed(`n${index}`, tier, 10));
          const options = {
            toTier: "WARM" as const,
            dryRun,
            waitSeconds: 60,
            ...(byKeys
              ? { keys: [...seeds.map((one) => one.key), key("gone")] }
              : { where: { tenantId: "acme", tiers: TIERS } }),
          };
          await using whole = await JobsStore.open(seeds);
          const reference = await whole.jobs({ batchSize: 2 }).restoreArtifacts(ADMIN, options);

          await using world = await JobsStore.open(seeds);
          const { catalog, crashed } = crashingCatalog(world.catalog, lastWrite);
          const first = world.jobs({ batchSize: 2, engine: world.engine(catalog) });
          await Promise.race([first.restoreArtifacts(ADMIN, options), crashed]);
          await world.jobs({ batchSize: 2 }).resumeJobs();
          const { job } = await world.ended(await world.startedJob());

          expect(counts(job as RestoreJob)).toEqual(counts(reference));
          expect(job.status).toBe("SUCCEEDED");
          expect(await world.tiers()).toEqual(await whole.tiers());
          expect((await world.events(job.id)).map(({ type }) => type)).toEqual(
            (await whole.events(reference.id)).map(({ type }) => type),
          );
        },
      ),
      { numRuns: 25 },
    );
  });
});
