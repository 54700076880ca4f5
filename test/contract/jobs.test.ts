import type { ArtifactKey, JobFilter, LifecycleJob, RunLifecycleInput } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { daysAfter, newTenant, refusalOf } from "../support/client.ts";
import { sharedServer } from "../support/shared-server.ts";

const shared = sharedServer();

function keyIn(tenantId: string, artifactId: string): ArtifactKey {
  return { tenantId, workflowId: "w", artifactId };
}

async function write(key: ArtifactKey, tier: "HOT" | "WARM" | "COLD" = "HOT", text = "x") {
  return (await shared.tierkeep.writeArtifact({ ...key, tier, content: { text } })).artifact;
}

/** Writes one artifact in each tier. All are due at `asOf`, when they are 100 days old. */
async function threeTiers() {
  const tenantId = newTenant();
  await write(keyIn(tenantId, "hot"), "HOT", "1");
  await write(keyIn(tenantId, "warm"), "WARM", "22");
  const { ageSince } = await write(keyIn(tenantId, "cold"), "COLD", "333");
  return { tenantId, asOf: daysAfter(ageSince, 100) };
}

async function tiersOf(tenantId: string): Promise<Record<string, string>> {
  const { nodes } = await shared.tierkeep.artifacts({ where: { tenantId }, first: 500 });
  return Object.fromEntries(nodes.map(({ artifactId, tier }) => [artifactId, tier]));
}

async function itemsOf(job: LifecycleJob) {
  return (await shared.tierkeep.lifecycleJobItems({ id: job.id, first: 500 }))?.nodes ?? [];
}

describe("runLifecycle", () => {
  it("moves each artifact one step, and reports the steps", async () => {
    const { tenantId, asOf } = await threeTiers();
    const { job, started } = await shared.tierkeep.runLifecycle({ tenantId, asOf });
    expect(started).toBe(true);
    expect(job).toMatchObject({
      status: "SUCCEEDED",
      dryRun: false,
      tenantId,
      asOf,
      steps: ["PROMOTE_TO_WARM", "PROMOTE_TO_COLD", "PURGE"],
      promotedToWarm: 1,
      promotedToCold: 1,
      purged: 1,
      totalErrors: 0,
      error: null,
      progress: 1,
      retentionPolicy: { hotDays: 7, warmDays: 30, coldDays: 90 },
    });
    expect(job.durationSeconds).toBeGreaterThan(0);
    expect(Date.parse(job.finishedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(job.startedAt));
    expect(await tiersOf(tenantId)).toEqual({ hot: "WARM", warm: "COLD" });
    expect(await itemsOf(job)).toMatchObject([
      {
        ...keyIn(tenantId, "cold"),
        step: "PURGE",
        fromTier: "COLD",
        toTier: null,
        sizeBytes: 3,
        outcome: "DONE",
      },
      {
        ...keyIn(tenantId, "hot"),
        step: "PROMOTE_TO_WARM",
        fromTier: "HOT",
        toTier: "WARM",
        sizeBytes: 1,
        outcome: "DONE",
        errorCode: null,
        error: null,
      },
      {
        ...keyIn(tenantId, "warm"),
        step: "PROMOTE_TO_COLD",
        fromTier: "WARM",
        toTier: "COLD",
        outcome: "DONE",
      },
    ]);
  });

  it("changes nothing in a dry run, and reports the planned steps as items", async () => {
    const { tenantId, asOf } = await threeTiers();
    const { job } = await shared.tierkeep.runLifecycle({ tenantId, asOf, dryRun: true });
    expect(job).toMatchObject({
      status: "SUCCEEDED",
      dryRun: true,
      promotedToWarm: 1,
      promotedToCold: 1,
      purged: 1,
    });
    expect((await itemsOf(job)).map(({ artifactId, outcome }) => [artifactId, outcome])).toEqual([
      ["cold", "PLANNED"],
      ["hot", "PLANNED"],
      ["warm", "PLANNED"],
    ]);
    expect(await tiersOf(tenantId)).toEqual({ hot: "HOT", warm: "WARM", cold: "COLD" });
    const events = await shared.tierkeep.lifecycleEventHistory({ where: { jobId: job.id } });
    expect(events.nodes.map(({ type, dryRun }) => [type, dryRun])).toEqual([
      ["LIFECYCLE_JOB_COMPLETED", true],
      ["LIFECYCLE_JOB_STARTED", true],
    ]);
  });

  it.each([
    [["PROMOTE_TO_WARM"], { hot: "WARM", warm: "WARM", cold: "COLD" }],
    [["PROMOTE_TO_COLD"], { hot: "HOT", warm: "COLD", cold: "COLD" }],
    [["PURGE"], { hot: "HOT", warm: "WARM" }],
    [["PURGE", "PROMOTE_TO_WARM"], { hot: "WARM", warm: "WARM" }],
  ] as const)("makes only the steps %j", async (steps, tiers) => {
    const { tenantId, asOf } = await threeTiers();
    const { job } = await shared.tierkeep.runLifecycle({ tenantId, asOf, steps });
    expect(job.steps).toEqual(
      ["PROMOTE_TO_WARM", "PROMOTE_TO_COLD", "PURGE"].filter((step) =>
        (steps as readonly string[]).includes(step),
      ),
    );
    expect(await tiersOf(tenantId)).toEqual(tiers);
  });

  it("changes only the given tenant, or all tenants without one", async () => {
    const [one, two] = [await threeTiers(), await threeTiers()];
    await shared.tierkeep.runLifecycle({ tenantId: one.tenantId, asOf: two.asOf });
    expect(await tiersOf(two.tenantId)).toEqual({ hot: "HOT", warm: "WARM", cold: "COLD" });
    const { job } = await shared.tierkeep.runLifecycle({ dryRun: true, asOf: two.asOf });
    expect(job.tenantId).toBeNull();
    const planned = (await itemsOf(job)).filter(({ tenantId }) => tenantId === two.tenantId);
    expect(planned).toHaveLength(3);
  });

  it("uses the current time without asOf: new artifacts stay", async () => {
    const { tenantId } = await threeTiers();
    const { job } = await shared.tierkeep.runLifecycle({ tenantId });
    expect(job).toMatchObject({ status: "SUCCEEDED", promotedToWarm: 0, promotedToCold: 0, purged: 0 });
    expect(job.progress).toBe(1);
    expect(await itemsOf(job)).toEqual([]);
  });

  it.each<[string, RunLifecycleInput, string, string]>([
    ["an empty list of steps", { dryRun: true, steps: [] }, "BAD_USER_INPUT", "input.steps"],
    ["a wait below zero", { dryRun: true, waitSeconds: -1 }, "BAD_USER_INPUT", "input.waitSeconds"],
    ["a wait over 60 s", { dryRun: true, waitSeconds: 61 }, "BAD_USER_INPUT", "input.waitSeconds"],
    ["a bad tenant", { dryRun: true, tenantId: ".." }, "INVALID_IDENTIFIER", "input.tenantId"],
  ])("refuses %s", async (_what, input, code, argument) => {
    expect(await refusalOf(shared.tierkeep.runLifecycle(input))).toMatchObject({ code, argument });
  });

  it("accepts a wait of 60 s and of 0", async () => {
    const tenantId = newTenant();
    expect((await shared.tierkeep.runLifecycle({ dryRun: true, tenantId, waitSeconds: 60 })).job.status).toBe(
      "SUCCEEDED",
    );
    const { job } = await shared.tierkeep.runLifecycle({ dryRun: true, tenantId, waitSeconds: 0 });
    expect(["RUNNING", "SUCCEEDED"]).toContain(job.status);
  });
});

describe("lifecycle jobs", () => {
  it("are found by id, in a list with the newest first, and as the last finished", async () => {
    const tenantId = newTenant();
    const dry = (await shared.tierkeep.runLifecycle({ tenantId, dryRun: true })).job;
    const live = (await shared.tierkeep.runLifecycle({ tenantId })).job;
    expect(await shared.tierkeep.lifecycleJob({ id: dry.id })).toEqual(dry);
    const { nodes } = await shared.tierkeep.lifecycleJobs({ first: 2 });
    expect(nodes.map(({ id }) => id)).toEqual([live.id, dry.id]);
    expect((await shared.tierkeep.lastLifecycleJob())?.id).toBe(live.id);
    expect((await shared.tierkeep.lastLifecycleJob({ dryRun: false }))?.id).toBe(live.id);
    expect((await shared.tierkeep.lastLifecycleJob({ dryRun: true }))?.id).toBe(dry.id);
  });

  it("do not change when they are cancelled after their end", async () => {
    const { job } = await shared.tierkeep.runLifecycle({ tenantId: newTenant(), dryRun: true });
    expect((await shared.tierkeep.cancelJob({ id: job.id })).job).toMatchObject({
      id: job.id,
      status: "SUCCEEDED",
    });
  });
});

describe("jobs", () => {
  it("are listed newest first, filtered by tenant, kind and status", async () => {
    const tenantId = newTenant();
    await write(keyIn(tenantId, "a"), "COLD");
    const { job: run } = await shared.tierkeep.runLifecycle({ tenantId, dryRun: true });
    const { job: restore } = await shared.tierkeep.restoreArtifacts({ where: { tenantId } });
    const { job: verify } = await shared.tierkeep.verifyArtifacts({ tenantId });
    const { nodes, totalCount } = await shared.tierkeep.jobs({ where: { tenantId }, withTotalCount: true });
    expect(nodes).toEqual([verify, restore, run]);
    expect(nodes.map(({ kind }) => kind)).toEqual(["VERIFY", "RESTORE", "LIFECYCLE"]);
    expect(totalCount).toBe(3);
    const idsOf = async (where: JobFilter) =>
      (await shared.tierkeep.jobs({ where: { tenantId, ...where } })).nodes.map(({ id }) => id);
    expect(await idsOf({ kinds: ["RESTORE", "LIFECYCLE"] })).toEqual([restore.id, run.id]);
    expect(await idsOf({ kinds: ["REINDEX"] })).toEqual([]);
    expect(await idsOf({ statuses: ["SUCCEEDED"], kinds: ["VERIFY"] })).toEqual([verify.id]);
    expect(await idsOf({ statuses: ["RUNNING", "FAILED"] })).toEqual([]);
    expect((await shared.tierkeep.cancelJob({ id: restore.id })).job).toEqual(restore);
  });

  it("are returned by the events of their start and end", async () => {
    const { tenantId, asOf } = await threeTiers();
    const { job } = await shared.tierkeep.runLifecycle({ tenantId, asOf });
    const { nodes } = await shared.tierkeep.lifecycleEventHistory({
      where: { jobId: job.id },
      direction: "ASC",
    });
    const [started] = nodes;
    const ended = nodes.at(-1);
    const { id, kind, purged, retentionPolicy, status } = job;
    expect(started).toMatchObject({ type: "LIFECYCLE_JOB_STARTED", jobId: id, job: { id, kind, asOf } });
    expect(ended).toMatchObject({
      type: "LIFECYCLE_JOB_COMPLETED",
      job: { id, purged, retentionPolicy, status },
    });
    expect(nodes.slice(1, -1).map((event) => event.job)).toEqual([null, null, null]);
  });

  it.each([
    ["an empty list of kinds", { kinds: [] }, "BAD_USER_INPUT", "where.kinds"],
    ["an empty list of statuses", { statuses: [] }, "BAD_USER_INPUT", "where.statuses"],
    ["an invalid tenant name", { tenantId: "a/b" }, "INVALID_IDENTIFIER", "where.tenantId"],
  ])("refuse %s", async (_what, where, code, argument) => {
    const refused = await refusalOf(shared.tierkeep.jobs({ where }));
    expect(refused).toMatchObject({ code, argument });
  });

  it("refuse a cursor of another filter", async () => {
    await shared.tierkeep.runLifecycle({ tenantId: newTenant(), dryRun: true });
    const { pageInfo } = await shared.tierkeep.jobs({ first: 1 });
    const other = { where: { kinds: ["LIFECYCLE" as const] }, after: pageInfo.endCursor };
    expect((await refusalOf(shared.tierkeep.jobs(other))).code).toBe("CURSOR_INVALID");
  });
});

describe("server", () => {
  it("returns its version, time, schedule and limits", async () => {
    const before = Date.now();
    const server = await shared.tierkeep.server();
    expect(server).toEqual({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      time: expect.any(String),
      authentication: false,
      schedule: null,
      nextRunAt: null,
      maxInlineBytes: 1024 * 1024,
      maxArtifactBytes: null,
      maxPageSize: 500,
      graphiql: true,
    });
    expect(Date.parse(server.time)).toBeGreaterThanOrEqual(before - 1000);
  });
});

describe("restoreArtifacts", () => {
  it("restores the given keys, skips those already in the tier, and counts missing ones as errors", async () => {
    const tenantId = newTenant();
    await write(keyIn(tenantId, "cold"), "COLD");
    await write(keyIn(tenantId, "warm"), "WARM");
    await write(keyIn(tenantId, "hot"), "HOT");
    const keys = ["cold", "warm", "hot", "gone"].map((artifactId) => keyIn(tenantId, artifactId));
    const { job } = await shared.tierkeep.restoreArtifacts({ keys });
    expect(job).toMatchObject({
      status: "SUCCEEDED",
      toTier: "HOT",
      tenantId,
      dryRun: false,
      restoredCount: 2,
      skippedCount: 1,
      totalErrors: 1,
      progress: 1,
    });
    expect(job.durationSeconds).toBeGreaterThan(0);
    expect(await tiersOf(tenantId)).toEqual({ cold: "HOT", warm: "HOT", hot: "HOT" });
    const { nodes } = await shared.tierkeep.lifecycleEventHistory({ where: { jobId: job.id } });
    expect(nodes.map(({ type, artifactId }) => `${type} ${artifactId}`).sort()).toEqual([
      "ARTIFACT_RESTORED cold",
      "ARTIFACT_RESTORED warm",
      "LIFECYCLE_JOB_COMPLETED null",
      "LIFECYCLE_JOB_STARTED null",
      "RESTORE_ERROR gone",
    ]);
    const failed = nodes.find(({ type }) => type === "RESTORE_ERROR");
    expect(failed).toMatchObject({ errorCode: "ARTIFACT_NOT_FOUND", error: expect.any(String) });
  });

  it("resets the age of restored artifacts", async () => {
    const key = keyIn(newTenant(), "a");
    const before = await write(key, "COLD");
    await shared.tierkeep.restoreArtifacts({ keys: [key] });
    const after = await shared.tierkeep.artifact(key);
    expect(after?.ageSince).toBe(after?.promotedAt);
    expect(after).toMatchObject({ promotedFrom: "COLD", modifiedAt: before.modifiedAt });
  });

  it("restores the matches of a filter, never to a colder tier", async () => {
    const tenantId = newTenant();
    await write(keyIn(tenantId, "a1"), "COLD");
    await write(keyIn(tenantId, "a2"), "HOT");
    await write(keyIn(tenantId, "b1"), "COLD");
    const { job } = await shared.tierkeep.restoreArtifacts({
      where: { tenantId, artifactIdPrefix: "a" },
      toTier: "WARM",
    });
    expect(job).toMatchObject({ toTier: "WARM", restoredCount: 1, totalErrors: 0 });
    expect(await tiersOf(tenantId)).toEqual({ a1: "WARM", a2: "HOT", b1: "COLD" });
  });

  it("moves nothing in a dry run, and counts the planned moves", async () => {
    const tenantId = newTenant();
    await write(keyIn(tenantId, "a"), "COLD");
    await write(keyIn(tenantId, "b"), "WARM");
    const { job } = await shared.tierkeep.restoreArtifacts({ where: { tenantId }, dryRun: true });
    expect(job).toMatchObject({ status: "SUCCEEDED", dryRun: true, restoredCount: 2 });
    expect(await tiersOf(tenantId)).toEqual({ a: "COLD", b: "WARM" });
  });

  it("has no tenant if its keys are of several tenants", async () => {
    const [one, two] = [keyIn(newTenant(), "a"), keyIn(newTenant(), "a")];
    await write(one, "COLD");
    await write(two, "COLD");
    const { job } = await shared.tierkeep.restoreArtifacts({ keys: [one, two] });
    expect(job).toMatchObject({ tenantId: null, restoredCount: 2 });
    const { job: dry } = await shared.tierkeep.runLifecycle({ dryRun: true, tenantId: newTenant() });
    expect((await shared.tierkeep.lifecycleJobs({ first: 1 })).nodes.map(({ id }) => id)).toEqual([dry.id]);
  });

  const good = { tenantId: "t", workflowId: "w", artifactId: "a" };
  it.each([
    ["neither keys nor where", {}, "BAD_USER_INPUT"],
    ["both keys and where", { keys: [good], where: { tenantId: "t" } }, "BAD_USER_INPUT"],
    ["an empty list of keys", { keys: [] }, "BAD_USER_INPUT"],
    ["a filter without a tenant", { where: { workflowId: "w" } }, "BAD_USER_INPUT"],
    ["an empty list of tiers", { where: { tenantId: "t", tiers: [] } }, "BAD_USER_INPUT"],
    ["a bad key", { keys: [good, { ...good, artifactId: "" }] }, "INVALID_IDENTIFIER"],
    ["a bad tenant in the filter", { where: { tenantId: "a/b" } }, "INVALID_IDENTIFIER"],
    ["a wait over 60 s", { keys: [good], waitSeconds: 61 }, "BAD_USER_INPUT"],
    ["a wait below zero", { keys: [good], waitSeconds: -1 }, "BAD_USER_INPUT"],
  ] as const)("refuses %s", async (_what, input, code) => {
    expect((await refusalOf(shared.tierkeep.restoreArtifacts(input))).code).toBe(code);
  });
});
