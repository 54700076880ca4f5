import { mkdirSync, readFileSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createTierkeep } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { daysAfter, forEachOf, newTenant, nextMillisecond, refusalOf, sha256 } from "../support/client.ts";
import { startServer } from "../support/server.ts";
import { sharedServer } from "../support/shared-server.ts";
import { viewOf } from "../support/storage-tree.ts";

const shared = sharedServer();

const DAYS = 24 * 60 * 60 * 1000;

/** One regression test for each known defect of the Python system. */
describe("a tenant named `.`", () => {
  it("cannot write into another tenant's folder", async () => {
    const victim = newTenant();
    await shared.tierkeep.writeArtifact({
      tenantId: victim,
      workflowId: "w",
      artifactId: "a",
      content: { text: "theirs" },
    });
    // In the old layout, tenant `.` and workflow VICTIM resolved to the folder of tenant VICTIM.
    const forged = { tenantId: ".", workflowId: victim, artifactId: "w", content: { text: "forged" } };
    expect(await refusalOf(shared.tierkeep.writeArtifact(forged))).toMatchObject({
      code: "INVALID_IDENTIFIER",
    });
    const { nodes } = await shared.tierkeep.artifacts({ where: { tenantId: victim } });
    expect(nodes.map(({ artifactId, checksum }) => [artifactId, checksum])).toEqual([
      ["a", sha256("theirs")],
    ]);
  });
});

describe("an artifact named like a sidecar", () => {
  it("cannot forge the metadata of another artifact", async () => {
    const key = { tenantId: newTenant(), workflowId: "w", artifactId: "a" };
    await shared.tierkeep.writeArtifact({ ...key, content: { text: "x" }, metadata: { author: "Alice" } });
    const content = { text: JSON.stringify({ author: "Mallory", _created_at: "1999-01-01T00:00:00" }) };
    for (const artifactId of ["a.metadata.json", "a.METADATA.JSON"]) {
      const forged = shared.tierkeep.writeArtifact({ ...key, artifactId, content });
      expect(await refusalOf(forged)).toMatchObject({ code: "INVALID_IDENTIFIER" });
    }
    expect((await shared.tierkeep.artifact(key))?.metadata).toEqual({ author: "Alice" });
  });
});

describe("four concurrent writers of one key", () => {
  it.each([
    ["small", 20],
    ["large", 200_000],
  ])("all succeed with %s content, and the last write determines the content", async (_what, size) => {
    const key = { tenantId: newTenant(), workflowId: "w", artifactId: "a" };
    const contents = Array.from({ length: 40 }, (_, index) => `${index}`.padEnd(size, "."));
    await forEachOf(contents, (content) => shared.tierkeep.upload(key, content), 4);
    const { nodes } = await shared.tierkeep.lifecycleEventHistory({
      where: { tenantId: key.tenantId, types: ["ARTIFACT_WRITTEN"] },
    });
    expect(nodes.map(({ checksum }) => checksum).sort()).toEqual(contents.map((text) => sha256(text)).sort());
    const artifact = await shared.tierkeep.artifact(key);
    expect(artifact?.checksum).toBe(nodes[0]?.checksum);
    expect(sha256(await (await shared.tierkeep.download(key)).bytes())).toBe(artifact?.checksum);
  });
});

describe("a move or purge during an overwrite", () => {
  it("never loses the newer content", async () => {
    const key = { tenantId: newTenant(), workflowId: "w", artifactId: "a" };
    for (let round = 0; round < 20; round++) {
      await shared.tierkeep.writeArtifact({ ...key, content: { text: `old ${round}` } });
      const asOf = daysAfter(new Date().toISOString(), 8);
      const newer = `newer ${round}`;
      const [write, ...moves] = await Promise.allSettled([
        shared.tierkeep.writeArtifact({ ...key, content: { text: newer } }),
        // Each one moves the old or the new content completely, or finds that it was already moved.
        shared.tierkeep.promoteArtifact({ ...key, toTier: "COLD" }),
        shared.tierkeep.promoteArtifact({ ...key, toTier: "WARM" }),
        shared.tierkeep.runLifecycle({ tenantId: key.tenantId, asOf }),
      ]);
      expect(write.status).toBe("fulfilled");
      for (const move of moves) {
        if (move.status === "rejected") expect(move.reason).toMatchObject({ code: "SAME_TIER" });
      }
      const artifact = await shared.tierkeep.artifactContent(key);
      expect(artifact).toMatchObject({ text: newer, checksum: sha256(newer) });
      if (artifact?.tier !== "HOT") await shared.tierkeep.restoreArtifact(key);
    }
  });

  it("is rejected with PRECONDITION_FAILED if `ifChecksum` is the checksum of the old content", async () => {
    const key = { tenantId: newTenant(), workflowId: "w", artifactId: "a" };
    await shared.tierkeep.writeArtifact({ ...key, content: { text: "old" } });
    await shared.tierkeep.writeArtifact({ ...key, content: { text: "new" } });
    const stale = shared.tierkeep.purgeArtifact({ ...key, ifChecksum: sha256("old") });
    expect(await refusalOf(stale)).toMatchObject({ code: "PRECONDITION_FAILED", checksum: sha256("new") });
    expect((await shared.tierkeep.artifactContent(key))?.text).toBe("new");
  });
});

describe("purging while the audit log cannot be written", () => {
  it("is rejected on request, blocks a run, and succeeds once the log can be written", async () => {
    await using server = await startServer({ env: { TIERKEEP_ALLOW_AS_OF: "true" } });
    const tierkeep = createTierkeep({ url: server.url, retries: 0 });
    const key = { tenantId: "t", workflowId: "w", artifactId: "cold" };
    const { artifact } = await tierkeep.writeArtifact({ ...key, tier: "COLD", content: { text: "x" } });
    const hot = { ...key, artifactId: "hot" };
    await tierkeep.writeArtifact({ ...hot, content: { text: "x" } });
    const log = join(server.dir, "logs", "lifecycle_events.jsonl");
    await expect.poll(() => readFileSync(log, "utf8").split("\n").length).toBe(3);

    renameSync(log, `${log}.aside`);
    mkdirSync(log);
    expect(await refusalOf(tierkeep.purgeArtifact(key))).toMatchObject({ code: "UNAVAILABLE" });
    expect(await tierkeep.artifact(key)).toMatchObject({ id: artifact.id });

    const asOf = daysAfter(artifact.ageSince, 100);
    const { job } = await tierkeep.runLifecycle({ asOf });
    expect(job).toMatchObject({ status: "BLOCKED", promotedToWarm: 1, purged: 0, error: expect.any(String) });
    expect(await tierkeep.artifact(key)).not.toBeNull();
    expect((await tierkeep.artifact(hot))?.tier).toBe("WARM");
    const { nodes } = await tierkeep.lifecycleEventHistory({
      where: { jobId: job.id, types: ["LIFECYCLE_STEP_FAILED", "LIFECYCLE_JOB_COMPLETED"] },
      direction: "ASC",
    });
    expect(nodes.map(({ type, errorCode }) => [type, errorCode])).toEqual([
      ["LIFECYCLE_STEP_FAILED", "UNAVAILABLE"],
      ["LIFECYCLE_JOB_COMPLETED", "UNAVAILABLE"],
    ]);
    // Other changes still work.
    await tierkeep.writeArtifact({ ...key, artifactId: "new", content: { text: "x" } });

    rmdirSync(log);
    renameSync(`${log}.aside`, log);
    await expect
      .poll(() =>
        tierkeep.purgeArtifact(key).then(
          () => "purged",
          (error: Error) => error.message,
        ),
      )
      .toBe("purged");
    await expect
      .poll(() =>
        readFileSync(log, "utf8")
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line).seq),
      )
      .toEqual(Array.from({ length: await newestSeq() }, (_, index) => index + 1));

    async function newestSeq(): Promise<number> {
      const { totalCount } = await tierkeep.lifecycleEventHistory({ first: 0, withTotalCount: true });
      return totalCount ?? 0;
    }
  });
});

describe("an artifact that left COLD", () => {
  it.each([
    ["restored", (key: Key) => shared.tierkeep.restoreArtifact(key)],
    ["promoted back", (key: Key) => shared.tierkeep.promoteArtifact({ ...key, toTier: "HOT" })],
    ["restored to WARM", (key: Key) => shared.tierkeep.restoreArtifact({ ...key, toTier: "WARM" })],
  ])("is not purged by the next run if it was %s", async (_what, bringBack) => {
    const key = { tenantId: newTenant(), workflowId: "w", artifactId: "a" };
    const { artifact } = await shared.tierkeep.writeArtifact({ ...key, content: { text: "x" } });
    const run = (asOf: string) => shared.tierkeep.runLifecycle({ tenantId: key.tenantId, asOf });
    await run(daysAfter(artifact.ageSince, 8));
    await run(daysAfter(artifact.ageSince, 31));
    expect((await shared.tierkeep.artifact(key))?.tier).toBe("COLD");
    await nextMillisecond();
    const { artifact: back } = await bringBack(key);
    const backSince = back.promotedAt ?? "";
    // The age counts from the restore, not from the write. Up to the exact threshold no run changes it.
    for (const days of [0, 1, back.tier === "HOT" ? 7 : 30]) {
      const { job } = await run(daysAfter(backSince, days));
      expect(job).toMatchObject({ promotedToWarm: 0, promotedToCold: 0, purged: 0 });
    }
    expect((await shared.tierkeep.artifact(key))?.tier).toBe(back.tier);
    // The Python system counted from the write, and would purge the artifact in this run after 100 days.
    await run(daysAfter(backSince, 100));
    expect(await shared.tierkeep.artifact(key)).not.toBeNull();
  });

  interface Key {
    readonly tenantId: string;
    readonly workflowId: string;
    readonly artifactId: string;
  }
});

describe("a dry run before a live one", () => {
  it("lists exactly the artifacts that the live run purges", async () => {
    const tenantId = newTenant();
    const tiers = ["HOT", "WARM", "COLD"] as const;
    await forEachOf(tiers, (tier) =>
      shared.tierkeep.writeArtifact({
        tenantId,
        workflowId: "w",
        artifactId: tier,
        tier,
        content: { text: "x" },
      }),
    );
    const asOf = new Date(Date.now() + 200 * DAYS).toISOString();
    const purgesOf = async (dryRun: boolean) => {
      const { job } = await shared.tierkeep.runLifecycle({ tenantId, asOf, dryRun });
      const items = await shared.tierkeep.lifecycleJobItems({ id: job.id });
      const purged = (items?.nodes ?? [])
        .filter(({ step }) => step === "PURGE")
        .map(({ artifactId }) => artifactId);
      expect(job.purged).toBe(purged.length);
      return purged;
    };
    for (const expected of [["COLD"], ["WARM"], ["HOT"], []]) {
      expect(await purgesOf(true)).toEqual(expected);
      expect(await purgesOf(false)).toEqual(expected);
    }
  });
});

describe("the published tree", () => {
  it("is never read to serve content: an artifact whose published file was replaced is served unchanged", async () => {
    await using server = await startServer();
    const tierkeep = createTierkeep({ url: server.url });
    const key = { tenantId: "t", workflowId: "w", artifactId: "a" };
    await tierkeep.writeArtifact({ ...key, content: { text: "ours" } });
    await expect.poll(() => viewOf(server)).toContain("hot/t/w/a");
    rmSync(join(server.dir, "artifacts/hot/t/w/a"));
    mkdirSync(join(server.dir, "artifacts/hot/t/w/a"));
    expect((await tierkeep.artifactContent(key))?.text).toBe("ours");
    expect(await (await tierkeep.download(key)).text()).toBe("ours");
  });
});
