import { createTierkeep, type LifecycleEvent, type Tierkeep } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { daysAfter, forEachOf, sha256 } from "../support/client.ts";
import { writeMany } from "../support/many-artifacts.ts";
import { startServer } from "../support/server.ts";
import { auditLines, viewOf } from "../support/storage-tree.ts";

const env = { TIERKEEP_ALLOW_AS_OF: "true" };

/** Returns everything that a client can read and that must not depend on the server's process. */
async function everything(tierkeep: Tierkeep) {
  const artifacts = await tierkeep.artifacts({ first: 500 });
  return {
    artifacts: artifacts.nodes.map(({ ageDays: _, ...artifact }) => artifact),
    stats: await tierkeep.tierStats(),
    tenants: await tierkeep.tenants(),
    jobs: await tierkeep.lifecycleJobs(),
    events: await tierkeep.lifecycleEventHistory({ first: 500 }),
    cursor: await tierkeep.lifecycleEventCursor(),
  };
}

describe("the audit log", () => {
  it("has one line per event, in order and without gaps, across restarts", async () => {
    await using server = await startServer({ env });
    const tierkeep = createTierkeep({ url: server.url });
    const key = { tenantId: "t", workflowId: "w", artifactId: "a" };
    const { artifact } = await tierkeep.writeArtifact({ ...key, content: { text: "x" } });
    await tierkeep.promoteArtifact({ ...key, toTier: "WARM", dryRun: true });
    await tierkeep.runLifecycle({ asOf: daysAfter(artifact.ageSince, 8) });
    await server.restart();
    await tierkeep.restoreArtifact(key);
    await tierkeep.purgeArtifact(key);
    const { nodes } = await tierkeep.lifecycleEventHistory({ direction: "ASC", first: 500 });
    await server.stop();

    const lines = auditLines(server);
    expect(lines.map(({ seq }) => seq)).toEqual(nodes.map((_, index) => index + 1));
    expect(lines.map(comparable)).toEqual(nodes.map(comparableEvent));
  });

  function comparable(line: ReturnType<typeof auditLines>[number]) {
    const { seq: _, job_id: __, segment: ___, prev: ____, job, ...rest } = line;
    return { ...rest, job: (job as { id?: string } | undefined)?.id ?? null };
  }

  function comparableEvent(event: LifecycleEvent) {
    return {
      timestamp: event.timestamp,
      event_type: event.type.toLowerCase(),
      tenant_id: event.tenantId,
      workflow_id: event.workflowId,
      artifact_id: event.artifactId,
      from_tier: event.fromTier,
      to_tier: event.toTier,
      age_days: event.ageDays,
      size_bytes: event.sizeBytes,
      checksum: event.checksum,
      dry_run: event.dryRun,
      actor: event.actor,
      error_code: event.errorCode,
      error: event.error,
      job: event.job === null ? null : event.jobId,
    };
  }
});

describe("a restart", () => {
  it.each(["SIGTERM", "SIGKILL"] as const)("after %s preserves all data", async (signal) => {
    await using server = await startServer({ env });
    const tierkeep = createTierkeep({ url: server.url });
    const key = (artifactId: string) => ({ tenantId: "t", workflowId: "w", artifactId });
    const { artifact } = await tierkeep.writeArtifact({
      ...key("small"),
      content: { text: "x" },
      metadata: { a: [1, "é"] },
    });
    await tierkeep.upload(key("large"), "y".repeat(300_000));
    await tierkeep.upload(key("gone"), "z");
    await tierkeep.runLifecycle({ asOf: daysAfter(artifact.ageSince, 8) });
    await tierkeep.restoreArtifact(key("large"));
    await tierkeep.purgeArtifact(key("gone"));
    const before = await everything(tierkeep);

    await server.kill(signal);
    await server.restart();

    expect(await everything(tierkeep)).toEqual(before);
    expect((await tierkeep.artifactContent(key("small")))?.text).toBe("x");
    expect(await (await tierkeep.download(key("large"))).text()).toBe("y".repeat(300_000));
    await expect
      .poll(() => viewOf(server).filter((path) => !path.endsWith(".metadata.json")))
      .toEqual(["hot/t/w/large", "warm/t/w/small"]);
  });
});

describe("SIGKILL of a server with concurrent writers", () => {
  it("loses no acknowledged write in five rounds", async () => {
    await using server = await startServer({ env });
    const acknowledged = new Map<string, string>();
    const attempted = new Map<string, Set<string>>();
    for (let round = 0; round < 5; round++) {
      const tierkeep = createTierkeep({ url: server.url, retries: 0 });
      let left = 60;
      const enough = Promise.withResolvers<void>();
      const writers = Array.from({ length: 16 }, async (_, writer) => {
        for (let turn = 0; ; turn++) {
          // Each writer has ten keys, so many writes are overwrites. Every fifth content is too large to be
          // inline.
          const artifactId = `${writer}-${turn % 10}`;
          const text = `${round}.${writer}.${turn}`.padEnd(turn % 5 === 0 ? 70_000 : 10, "-");
          const tries = attempted.get(artifactId) ?? new Set();
          attempted.set(artifactId, tries.add(sha256(text)));
          try {
            await tierkeep.upload({ tenantId: "t", workflowId: "w", artifactId }, text);
          } catch {
            return;
          }
          acknowledged.set(artifactId, sha256(text));
          // Content of earlier attempts must not reappear after an acknowledged write.
          attempted.set(artifactId, new Set([sha256(text)]));
          if (--left === 0) enough.resolve();
        }
      });
      await enough.promise;
      await server.kill("SIGKILL");
      await Promise.all(writers);
      await server.restart();
    }

    const tierkeep = createTierkeep({ url: server.url });
    await forEachOf(acknowledged.keys(), async (artifactId) => {
      const key = { tenantId: "t", workflowId: "w", artifactId };
      const bytes = await (await tierkeep.download(key)).bytes();
      // The last write may have been in progress when the server was killed: it is either complete or absent.
      expect(attempted.get(artifactId)).toContain(sha256(bytes));
    });
    const { totalCount } = await tierkeep.artifacts({ first: 0, withTotalCount: true });
    expect(totalCount).toBeGreaterThanOrEqual(acknowledged.size);
    const [hot] = await tierkeep.tierStats();
    expect(hot?.artifactCount).toBe(totalCount);
    const events = await tierkeep.lifecycleEventHistory({ first: 0, withTotalCount: true });
    await server.stop();
    expect(auditLines(server).map(({ seq }) => seq)).toEqual(
      Array.from({ length: events.totalCount ?? 0 }, (_, index) => index + 1),
    );
  });
});

describe("a lifecycle run that is interrupted by SIGKILL", () => {
  it("resumes after the next start and processes each artifact once", async () => {
    await using server = await startServer({ env });
    const tierkeep = createTierkeep({ url: server.url });
    const COUNT = 700;
    await writeMany(server, "t", COUNT);
    const asOf = daysAfter(new Date().toISOString(), 8);
    const { job } = await tierkeep.runLifecycle({ asOf, waitSeconds: 0 });
    expect(job.status).toBe("RUNNING");
    await expect
      .poll(async () => (await tierkeep.lifecycleJob({ id: job.id }))?.promotedToWarm ?? 0, { interval: 1 })
      .toBeGreaterThan(0);
    await server.kill("SIGKILL");
    await server.restart();

    await expect.poll(async () => (await tierkeep.lifecycleJob({ id: job.id }))?.status).toBe("SUCCEEDED");
    expect(await tierkeep.lifecycleJob({ id: job.id })).toMatchObject({
      promotedToWarm: COUNT,
      totalErrors: 0,
      progress: 1,
    });
    const [hot, warm] = await tierkeep.tierStats();
    expect([hot?.artifactCount, warm?.artifactCount]).toEqual([0, COUNT]);
    const eventsOf = async (type: "PROMOTED_TO_WARM" | "LIFECYCLE_JOB_STARTED" | "LIFECYCLE_JOB_COMPLETED") =>
      (
        await tierkeep.lifecycleEventHistory({
          where: { jobId: job.id, types: [type] },
          first: 0,
          withTotalCount: true,
        })
      ).totalCount;
    expect(await eventsOf("PROMOTED_TO_WARM")).toBe(COUNT);
    expect(await eventsOf("LIFECYCLE_JOB_STARTED")).toBe(1);
    expect(await eventsOf("LIFECYCLE_JOB_COMPLETED")).toBe(1);
    const items = await tierkeep.lifecycleJobItems({ id: job.id, first: 0, withTotalCount: true });
    expect(items?.totalCount).toBe(COUNT);
  });
});
