import { cpSync, linkSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Artifact, createTierkeep, type Tierkeep } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { forEachOf, refusalOf, sha256 } from "../support/client.ts";
import { fingerprint, writePythonTree } from "../support/python-tree.ts";
import { type Server, startServer } from "../support/server.ts";
import { objectsOf, viewOf } from "../support/storage-tree.ts";

/**
 * Stops the server cleanly, so that everything is settled and published, and restarts it without its catalog.
 */
async function loseCatalog(server: Server): Promise<Tierkeep> {
  await server.stop();
  const own = join(server.dir, "artifacts", ".tierkeep");
  for (const name of readdirSync(own)) if (name.startsWith("catalog.db")) rmSync(join(own, name));
  await server.restart();
  return createTierkeep({ url: server.url });
}

async function everything(tierkeep: Tierkeep): Promise<readonly Artifact[]> {
  return (await tierkeep.artifacts({ first: 500 })).nodes;
}

const key = (artifactId: string, tenantId = "acme") => ({ tenantId, workflowId: "w", artifactId });

/** Writes artifacts of different sizes in every tier, and moves and replaces some of them. */
async function fill(tierkeep: Tierkeep): Promise<void> {
  await tierkeep.upload(key("small.txt"), "small", { metadata: { author: "Ann", nested: { n: [1, null] } } });
  await tierkeep.upload(key("empty"), "");
  await tierkeep.upload(key("large.bin"), Buffer.alloc(9_000_000, "large"), { contentType: "text/x-large" });
  await tierkeep.upload(key("報告 1.md", "büro"), "first");
  await tierkeep.upload(key("報告 1.md", "büro"), "second", { tier: "COLD" });
  await tierkeep.promoteArtifact({ ...key("large.bin"), toTier: "WARM" });
  await tierkeep.upload(key("back.txt"), "back", { tier: "COLD" });
  await tierkeep.restoreArtifact({ ...key("back.txt"), toTier: "WARM" });
}

/** Fields that no file stores, and the age, which depends on the clock. */
const unremembered = { promotedAt: null, promotedFrom: null, ageDays: expect.any(Number) };

describe("a server that has lost its catalog", () => {
  it("starts empty, recommends a reindex, and recovers ids, bytes, metadata, ages and tiers with it", async () => {
    await using server = await startServer();
    const before = createTierkeep({ url: server.url });
    await fill(before);
    const artifacts = await everything(before);
    const cursor = await before.lifecycleEventCursor();

    const after = await loseCatalog(server);
    expect(await everything(after)).toEqual([]);
    const hints = server.stderr.split("\n").filter((line) => line.includes("reindex"));
    expect(hints).toEqual([
      expect.stringMatching(/^The catalog is empty, but 2 tenants .*: tierkeep reindex$/),
    ]);

    const objects = await objectsOf(server);
    const { job } = await after.reindex({ waitSeconds: 60 });
    expect(job).toMatchObject({
      status: "SUCCEEDED",
      adoptedCount: artifacts.length,
      totalErrors: 0,
      leftCount: 0,
    });
    expect(await everything(after)).toEqual(artifacts.map((artifact) => ({ ...artifact, ...unremembered })));
    expect((await objectsOf(server)).sort()).toEqual(objects.sort());
    for (const { tenantId, artifactId, checksum } of artifacts) {
      const download = await after.download(key(artifactId, tenantId));
      expect(sha256(await download.bytes())).toBe(checksum);
    }
    // The server has started a new log, so it must reject a cursor of the old one.
    expect(await refusalOf(after.lifecycleEventHistory({ after: cursor }))).toMatchObject({
      code: "CURSOR_INVALID",
    });

    const { job: verified } = await after.verifyArtifacts({ waitSeconds: 60 });
    expect(verified).toMatchObject({ checkedCount: artifacts.length, totalErrors: 0, strayCount: 0 });
    await server.stop();
    expect(server.stderr.split("\n").filter((line) => line.includes("tierkeep reindex"))).toHaveLength(1);
  });

  it("copies no bytes and moves no files in a reindex", async () => {
    await using server = await startServer();
    await fill(createTierkeep({ url: server.url }));
    await server.stop();
    const inodes = () =>
      viewOf(server)
        .filter((path) => !path.endsWith(".metadata.json"))
        .map((path) => `${path} ${statSync(join(server.dir, "artifacts", path)).ino}`);
    const before = inodes();
    const after = await loseCatalog(server).catch(async () => {
      throw new Error(server.stderr);
    });
    await after.reindex({ waitSeconds: 60 });
    await server.stop();
    expect(inodes()).toEqual(before);
    expect(readdirSync(join(server.dir, "artifacts/.tierkeep/quarantine"))).toEqual([]);
  });

  it("ignores the write-ahead log of a killed server's lost catalog and keeps it under another name", async () => {
    await using server = await startServer();
    const before = createTierkeep({ url: server.url });
    await before.upload(key("a.txt"), "a");
    await expect.poll(() => viewOf(server)).toContain("hot/acme/w/a.txt.metadata.json");
    await expect.poll(() => viewOf(server)).toContain("hot/acme/w/a.txt");
    await server.kill("SIGKILL");
    const own = join(server.dir, "artifacts", ".tierkeep");
    expect(readdirSync(own)).toContain("catalog.db-wal");
    rmSync(join(own, "catalog.db"));
    await server.restart();
    const after = createTierkeep({ url: server.url });
    expect(await everything(after)).toEqual([]);
    expect(readdirSync(own)).toContainEqual(expect.stringMatching(/^catalog\.db-wal\.lost-/));
    const { job } = await after.reindex({ waitSeconds: 60 });
    expect(job).toMatchObject({ status: "SUCCEEDED", adoptedCount: 1, totalErrors: 0 });
    expect(await (await after.download(key("a.txt"))).text()).toBe("a");
  });

  it("reports unknown objects and leaves them in place", async () => {
    await using server = await startServer();
    const before = createTierkeep({ url: server.url });
    await before.upload(key("a.bin"), Buffer.alloc(100_000, "a"));
    await expect.poll(() => viewOf(server)).toContain("hot/acme/w/a.bin");
    const after = await (async () => {
      await server.stop();
      for (const path of viewOf(server)) rmSync(join(server.dir, "artifacts", path));
      await server.restart();
      return loseCatalog(server);
    })();
    const { job } = await after.reindex({ waitSeconds: 60 });
    expect(job).toMatchObject({ adoptedCount: 0, leftCount: 1, totalErrors: 1 });
    const findings = await after.reindexJobFindings({ id: job.id });
    const [object = ""] = await objectsOf(server);
    expect(findings?.nodes).toMatchObject([
      { kind: "STRAY", path: object.slice(object.indexOf(".tierkeep")) },
    ]);
  });

  it("adopts a file with two hard links as two artifacts that do not share an object", async () => {
    await using server = await startServer();
    const before = createTierkeep({ url: server.url });
    await before.upload(key("a.txt"), "shared");
    await expect.poll(() => viewOf(server)).toContain("hot/acme/w/a.txt");
    await server.stop();
    const at = (name: string) => join(server.dir, "artifacts/hot/acme/w", name);
    linkSync(at("a.txt"), at("b.txt"));
    cpSync(at("a.txt.metadata.json"), at("b.txt.metadata.json"));
    const after = await loseCatalog(server);
    const { job } = await after.reindex({ waitSeconds: 60 });
    expect(job).toMatchObject({ adoptedCount: 2 });
    await after.confirmReindex({ id: job.id });
    await after.purgeArtifact(key("a.txt"));
    await server.restart();
    expect(await (await after.download(key("b.txt"))).text()).toBe("shared");
  });
});

describe("an interrupted reindex", () => {
  it("resumes at the next start of a killed server and adopts everything once", async () => {
    const count = 900;
    await using server = await startServer();
    writePythonTree(
      server.dir,
      Array.from({ length: count }, (_, index) => ({
        tier: (["hot", "warm", "cold"] as const)[index % 3] ?? "hot",
        name: `tenant-${index % 7}/w/${index}.txt`,
        sidecar: index % 2 === 0 ? { index } : null,
      })),
    );
    const before = fingerprint(server.dir).filter((line) => !line.includes(".metadata.json"));
    let tierkeep = createTierkeep({ url: server.url });
    const { job } = await tierkeep.reindex({ waitSeconds: 0 });
    for (const soFar of [100, 400]) {
      await expect
        .poll(async () => (await tierkeep.reindexJob({ id: job.id }))?.adoptedCount, {
          interval: 5,
        })
        .toBeGreaterThanOrEqual(soFar);
      await server.kill("SIGKILL");
      await server.restart();
      tierkeep = createTierkeep({ url: server.url });
    }
    await expect.poll(async () => (await tierkeep.reindexJob({ id: job.id }))?.status).toBe("SUCCEEDED");
    expect(await tierkeep.reindexJob({ id: job.id })).toMatchObject({
      adoptedCount: count,
      presentCount: 0,
      quarantinedCount: 0,
      leftCount: 0,
      totalErrors: 0,
    });
    const adoptions = await tierkeep.lifecycleEventHistory({
      where: { jobId: job.id, types: ["ARTIFACT_ADOPTED"] },
      withTotalCount: true,
    });
    expect(adoptions.totalCount).toBe(count);
    expect((await tierkeep.reindexJobFindings({ id: job.id, withTotalCount: true }))?.totalCount).toBe(count);

    await server.restart();
    const contents = fingerprint(server.dir).filter((line) => !line.includes(".metadata.json"));
    const withoutMode = (line: string) => line.split(" ").filter((_, index) => index !== 1 && index !== 3);
    expect(contents.map(withoutMode)).toEqual(before.map(withoutMode));
    expect(await objectsOf(server)).toHaveLength(count);
    const verified = await createTierkeep({ url: server.url }).verifyArtifacts({ waitSeconds: 60 });
    expect(verified.job).toMatchObject({ checkedCount: count, totalErrors: 0 });
  });

  it("keeps its results when it is cancelled, and a second reindex adopts the rest", async () => {
    await using server = await startServer();
    const names = Array.from({ length: 800 }, (_, index) => `t/w/${index}.txt`);
    writePythonTree(
      server.dir,
      names.map((name) => ({ tier: "warm" as const, name, sidecar: null })),
    );
    const tierkeep = createTierkeep({ url: server.url });
    const { job } = await tierkeep.reindex({ waitSeconds: 0 });
    expect(await refusalOf(tierkeep.reindex({}))).toMatchObject({ code: "CONFLICT", jobId: job.id });
    expect(await refusalOf(tierkeep.confirmReindex({ id: job.id }))).toMatchObject({ code: "CONFLICT" });
    const { job: cancelled } = await tierkeep.cancelJob({ id: job.id });
    expect(cancelled.status).toBe("CANCELLED");
    const { adoptedCount = -1 } = (await tierkeep.reindexJob({ id: job.id })) ?? {};
    expect(adoptedCount).toBeLessThan(names.length);
    const { job: rest } = await tierkeep.reindex({ waitSeconds: 60 });
    expect([rest.presentCount, rest.adoptedCount]).toEqual([adoptedCount, names.length - adoptedCount]);
    await forEachOf(
      names.filter((_, index) => index % 100 === 0),
      async (name) => {
        const [tenantId = "", workflowId = "", artifactId = ""] = name.split("/");
        const download = await tierkeep.download({ tenantId, workflowId, artifactId });
        expect(await download.text()).toBe(`content of ${name}`);
      },
    );
  });
});
