import type { Artifact, ArtifactKey, LifecycleJob } from "@tierkeep/sdk";
import { createTierkeep } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { daysAfter, newTenant, nextMillisecond } from "../support/client.ts";
import { startServer } from "../support/server.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();

type Tier = "HOT" | "WARM" | "COLD";

async function written(tier: Tier = "HOT", tenantId = newTenant(), artifactId = "a"): Promise<Artifact> {
  const key = { tenantId, workflowId: "w", artifactId };
  return (await shared.tierkeep.writeArtifact({ ...key, tier, content: { text: artifactId } })).artifact;
}

function keyOf({ tenantId, workflowId, artifactId }: ArtifactKey): ArtifactKey {
  return { tenantId, workflowId, artifactId };
}

async function run(tenantId: string, asOf: string, dryRun = false): Promise<LifecycleJob> {
  const { job } = await shared.tierkeep.runLifecycle({ tenantId, asOf, dryRun });
  expect(job).toMatchObject({ status: "SUCCEEDED", totalErrors: 0 });
  return job;
}

/** Returns the tier of an artifact, or null if it does not exist. */
async function tierOf(key: ArtifactKey): Promise<string | null> {
  return (await shared.tierkeep.artifact(keyOf(key)))?.tier ?? null;
}

async function itemsOf(job: LifecycleJob) {
  return (await shared.tierkeep.lifecycleJobItems({ id: job.id, first: 500 }))?.nodes ?? [];
}

describe("an artifact's age", () => {
  it.each([
    ["HOT", 7, "WARM"],
    ["WARM", 30, "COLD"],
    ["COLD", 90, null],
  ] as const)("must exceed the threshold before a step: %s at %d days", async (tier, days, next) => {
    const artifact = await written(tier);
    await run(artifact.tenantId, daysAfter(artifact.ageSince, days));
    expect(await tierOf(artifact)).toBe(tier);
    await run(artifact.tenantId, daysAfter(artifact.ageSince, days, 1));
    expect(await tierOf(artifact)).toBe(next);
  });

  it("causes one step per run, even at 1,000 days", async () => {
    const artifact = await written();
    const asOf = daysAfter(artifact.ageSince, 1000);
    for (const expected of ["WARM", "COLD", null]) {
      await run(artifact.tenantId, asOf);
      expect(await tierOf(artifact)).toBe(expected);
    }
    const job = await run(artifact.tenantId, asOf);
    expect(job).toMatchObject({ promotedToWarm: 0, promotedToCold: 0, purged: 0 });
  });

  it("is kept by a lifecycle run or a promotion to a colder tier", async () => {
    const byRun = await written();
    await run(byRun.tenantId, daysAfter(byRun.ageSince, 8));
    expect(await shared.tierkeep.artifact(keyOf(byRun))).toMatchObject({
      tier: "WARM",
      ageSince: byRun.ageSince,
      promotedFrom: "HOT",
      promotedAt: expect.any(String),
    });
    const byHand = await written();
    const { artifact } = await shared.tierkeep.promoteArtifact({ ...keyOf(byHand), toTier: "COLD" });
    expect(artifact.ageSince).toBe(byHand.ageSince);
    await run(byHand.tenantId, daysAfter(byHand.ageSince, 90, 1));
    expect(await tierOf(byHand)).toBeNull();
  });

  it.each<[string, (key: ArtifactKey) => Promise<unknown>, Tier, number]>([
    [
      "an overwrite",
      (key) => shared.tierkeep.writeArtifact({ ...key, content: { text: "newer" } }),
      "HOT",
      7,
    ],
    ["a restore", (key) => shared.tierkeep.restoreArtifact(key), "HOT", 7],
    ["a restore half-way", (key) => shared.tierkeep.restoreArtifact({ ...key, toTier: "WARM" }), "WARM", 30],
    ["a promotion back", (key) => shared.tierkeep.promoteArtifact({ ...key, toTier: "HOT" }), "HOT", 7],
    ["a bulk restore", (key) => shared.tierkeep.restoreArtifacts({ keys: [key] }), "HOT", 7],
  ])("restarts at zero with %s", async (_what, renew, tier, days) => {
    const before = await written("COLD");
    await nextMillisecond();
    await renew(keyOf(before));
    const after = await shared.tierkeep.artifact(keyOf(before));
    expect(after?.tier).toBe(tier);
    // Later than the write, so that a run can distinguish the two instants.
    const renewedAt = after?.promotedAt ?? after?.modifiedAt ?? "";
    expect(renewedAt > before.ageSince).toBe(true);
    await run(before.tenantId, daysAfter(renewedAt, days));
    expect(await tierOf(before)).toBe(tier);
    await run(before.tenantId, daysAfter(renewedAt, days, 1));
    expect(await tierOf(before)).not.toBe(tier);
  });

  it("is not changed by a read", async () => {
    const artifact = await written();
    await (await shared.tierkeep.download(keyOf(artifact))).text();
    await shared.tierkeep.artifactContent(keyOf(artifact));
    expect((await shared.tierkeep.artifact(keyOf(artifact)))?.ageSince).toBe(artifact.ageSince);
  });
});

describe("a dry run", () => {
  it("predicts each item of the live run at the same instant", async () => {
    const tenantId = newTenant();
    for (const tier of ["HOT", "WARM", "COLD"] as const) {
      for (let index = 0; index < 4; index++) await written(tier, tenantId, `${tier}-${index}`);
    }
    const restored = { tenantId, workflowId: "w", artifactId: "COLD-3" };
    const { artifact } = await shared.tierkeep.restoreArtifact({ ...restored, toTier: "WARM" });
    for (const days of [5, 10, 50, 100, 100, 100]) {
      const asOf = daysAfter(artifact.ageSince, days);
      const dry = await run(tenantId, asOf, true);
      const planned = await itemsOf(dry);
      const live = await run(tenantId, asOf);
      const done = await itemsOf(live);
      expect(done).toEqual(planned.map((item) => ({ ...item, outcome: "DONE" })));
      const countsOf = ({ promotedToWarm, promotedToCold, purged }: LifecycleJob) => ({
        promotedToWarm,
        promotedToCold,
        purged,
      });
      expect(countsOf(live)).toEqual(countsOf(dry));
    }
    expect((await shared.tierkeep.artifacts({ where: { tenantId } })).nodes).toEqual([]);
  });

  it("changes no artifact and no statistics, and writes two events", async () => {
    const artifact = await written();
    const stateOf = async () => {
      const { ageDays: _, ...state } = (await shared.tierkeep.artifact(keyOf(artifact))) ?? { ageDays: 0 };
      return { state, stats: await shared.tierkeep.tierStats({ tenantId: artifact.tenantId }) };
    };
    const before = await stateOf();
    const after = await shared.tierkeep.lifecycleEventCursor();
    await run(artifact.tenantId, daysAfter(artifact.ageSince, 1000), true);
    expect(await stateOf()).toEqual(before);
    const { nodes } = await shared.tierkeep.lifecycleEventHistory({ direction: "ASC", after });
    expect(nodes.map(({ type, dryRun }) => [type, dryRun])).toEqual([
      ["LIFECYCLE_JOB_STARTED", true],
      ["LIFECYCLE_JOB_COMPLETED", true],
    ]);
  });
});

describe("the events of a run", () => {
  it("include each step with the artifact's age, between the job's start and end", async () => {
    const tenantId = newTenant();
    await written("HOT", tenantId, "hot");
    await written("WARM", tenantId, "warm");
    const { ageSince } = await written("COLD", tenantId, "cold");
    const job = await run(tenantId, daysAfter(ageSince, 95));
    const { nodes } = await shared.tierkeep.lifecycleEventHistory({
      where: { jobId: job.id },
      direction: "ASC",
    });
    const logged = nodes.map(({ type, artifactId, fromTier, toTier }) => [
      type,
      artifactId,
      fromTier,
      toTier,
    ]);
    expect(logged.at(0)).toEqual(["LIFECYCLE_JOB_STARTED", null, null, null]);
    expect(logged.at(-1)).toEqual(["LIFECYCLE_JOB_COMPLETED", null, null, null]);
    expect(logged.slice(1, -1).sort()).toEqual([
      ["PROMOTED_TO_COLD", "warm", "WARM", "COLD"],
      ["PROMOTED_TO_WARM", "hot", "HOT", "WARM"],
      ["PURGED_FROM_COLD", "cold", "COLD", null],
    ]);
    for (const event of nodes.slice(1, 4)) {
      expect(event.ageDays).toBeCloseTo(95, 3);
      expect(event).toMatchObject({ tenantId, dryRun: false, jobId: job.id, errorCode: null });
    }
  });
});

describe("a purge by a run", () => {
  it("is final: the artifact cannot be read or restored, and its key can be reused", async () => {
    const artifact = await written("COLD");
    await run(artifact.tenantId, daysAfter(artifact.ageSince, 91));
    expect(await tierOf(artifact)).toBeNull();
    await expect(shared.tierkeep.download(keyOf(artifact))).rejects.toMatchObject({
      code: "ARTIFACT_NOT_FOUND",
    });
    await expect(shared.tierkeep.restoreArtifact(keyOf(artifact))).rejects.toMatchObject({
      code: "ARTIFACT_NOT_FOUND",
    });
    const { created } = await shared.tierkeep.writeArtifact({ ...keyOf(artifact), content: { text: "x" } });
    expect(created).toBe(true);
  });
});

describe("a configured retention policy", () => {
  it("supports fractions of days and `never`", async () => {
    await using server = await startServer({
      env: {
        TIERKEEP_ALLOW_AS_OF: "true",
        HOT_RETENTION_DAYS: "0.5",
        WARM_RETENTION_DAYS: "1.25",
        COLD_RETENTION_DAYS: "never",
      },
    });
    const tierkeep = createTierkeep({ url: server.url });
    const policy = { hotDays: 0.5, warmDays: 1.25, coldDays: null };
    expect(await tierkeep.retentionPolicy()).toEqual(policy);
    const key = { tenantId: "t", workflowId: "w", artifactId: "a" };
    const { artifact } = await tierkeep.writeArtifact({ ...key, content: { text: "x" } });
    expect(artifact.nextTransition?.at).toBe(daysAfter(artifact.ageSince, 0.5));
    const tierAfter = async (days: number, ms = 0) => {
      const { job } = await tierkeep.runLifecycle({ asOf: daysAfter(artifact.ageSince, days, ms) });
      expect(job.retentionPolicy).toEqual(policy);
      return (await tierkeep.artifact(key))?.tier;
    };
    expect(await tierAfter(0.5)).toBe("HOT");
    expect(await tierAfter(0.5, 1)).toBe("WARM");
    expect(await tierAfter(1.25, 1)).toBe("COLD");
    expect((await tierkeep.artifact(key))?.nextTransition).toBeNull();
    expect(await tierAfter(100_000)).toBe("COLD");
  });

  it("rejects `asOf` of a live run unless TIERKEEP_ALLOW_AS_OF is set, and always accepts it for a dry run", async () => {
    await using server = await startServer();
    const tierkeep = createTierkeep({ url: server.url });
    const asOf = daysAfter(new Date().toISOString(), 100);
    await expect(tierkeep.runLifecycle({ asOf })).rejects.toMatchObject({
      code: "BAD_USER_INPUT",
      argument: "input.asOf",
    });
    expect((await tierkeep.runLifecycle({ asOf, dryRun: true })).job.status).toBe("SUCCEEDED");
    expect((await tierkeep.runLifecycle({})).job.status).toBe("SUCCEEDED");
  });
});
