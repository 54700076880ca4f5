import { linkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTierkeep, type Tierkeep } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { untilPublished } from "../support/at-rest.ts";
import { refusalOf } from "../support/client.ts";
import { damageObject } from "../support/damaged-object.ts";
import { writePythonTree } from "../support/python-tree.ts";
import { type Server, startServer } from "../support/server.ts";
import { objectWith } from "../support/storage-tree.ts";

const key = (artifactId: string, tenantId = "acme") => ({ tenantId, workflowId: "w", artifactId });

async function withServer<T>(act: (server: Server, tierkeep: Tierkeep) => Promise<T>): Promise<T> {
  await using server = await startServer();
  return await act(server, createTierkeep({ url: server.url }));
}

async function verify(tierkeep: Tierkeep, input: { readonly tenantId?: string } = {}) {
  const { job } = await tierkeep.verifyArtifacts({ ...input, waitSeconds: 60 });
  expect(job.status).toBe("SUCCEEDED");
  const page = await tierkeep.verifyJobFindings({ id: job.id, first: 500 });
  return { job, found: (page?.nodes ?? []).map(({ kind, path }) => `${kind} ${path}`) };
}

describe("a verification", () => {
  it("reads every byte of every artifact and has no findings for an undamaged store", async () => {
    await withServer(async (_server, tierkeep) => {
      const sizes = [0, 1, 70_000, 3_000_000];
      for (const size of sizes) await tierkeep.upload(key(`${size}`), Buffer.alloc(size, "x"));
      const { job, found } = await verify(tierkeep);
      expect(found).toEqual([]);
      expect(job).toMatchObject({
        tenantId: null,
        dryRun: false,
        progress: 1,
        totalErrors: 0,
        checkedCount: sizes.length,
        checkedBytes: sizes.reduce((sum, size) => sum + size),
        damagedCount: 0,
        missingCount: 0,
        strayCount: 0,
      });
      expect(await tierkeep.job({ id: job.id })).toEqual(job);
    });
  });

  it("finds damaged and missing objects of small and large artifacts, and reports each with one event", async () => {
    await withServer(async (server, tierkeep) => {
      const contents = {
        small: Buffer.from("small one"),
        large: Buffer.alloc(2_500_000, "l"),
        gone: Buffer.from("gone"),
        whole: Buffer.from("whole"),
      };
      for (const [name, content] of Object.entries(contents)) await tierkeep.upload(key(name), content);
      await untilPublished(server);
      await damageObject(server, contents.small);
      await damageObject(server, contents.large);
      rmSync((await objectWith(server, contents.gone)) ?? "");
      for (let round = 0; round < 2; round++) {
        const { job, found } = await verify(tierkeep);
        expect(job).toMatchObject({ checkedCount: 4, damagedCount: 2, missingCount: 1, strayCount: 0 });
        expect(found).toEqual([
          "MISSING hot/acme/w/gone",
          "DAMAGED hot/acme/w/large",
          "DAMAGED hot/acme/w/small",
        ]);
        expect(job.totalErrors).toBe(found.length);
      }
      const { nodes } = await tierkeep.lifecycleEventHistory({ where: { types: ["SCAN_ERROR"] } });
      expect(nodes.map(({ artifactId, errorCode }) => `${artifactId} ${errorCode}`).sort()).toEqual([
        "gone CHECKSUM_MISMATCH",
        "large CHECKSUM_MISMATCH",
        "small CHECKSUM_MISMATCH",
      ]);
    });
  });

  it("finds unknown objects, foreign files in the tree, and files that differ from the published ones", async () => {
    await withServer(async (server, tierkeep) => {
      await tierkeep.upload(key("a"), "a");
      await tierkeep.upload(key("b"), "b");
      await untilPublished(server);
      const artifacts = join(server.dir, "artifacts");
      const stray = "0".repeat(32);
      const object = (await objectWith(server, Buffer.from("b"))) ?? "";
      linkSync(
        object,
        join(object, "../..", object.slice(-32, -30), stray.replace(/^00/, object.slice(-32, -30))),
      );
      writePythonTree(server.dir, [{ tier: "warm", name: "other/w/file", sidecar: null }]);
      rmSync(join(artifacts, "hot/acme/w/a"));
      writeFileSync(join(artifacts, "hot/acme/w/b.metadata.json"), "{}");
      const { job, found } = await verify(tierkeep);
      expect(found.map((line) => line.replace(/objects.*/, "objects")).sort()).toEqual([
        "STRAY .tierkeep/objects",
        "STRAY warm/other/w/file",
        "VIEW_DIFFERS hot/acme/w/a",
        "VIEW_DIFFERS hot/acme/w/b.metadata.json",
      ]);
      expect(job).toMatchObject({ strayCount: 2, damagedCount: 0, missingCount: 0, totalErrors: 4 });
      expect(await (await tierkeep.download(key("a"))).text()).toBe("a");
    });
  });

  it("of one tenant checks only its artifacts", async () => {
    await withServer(async (server, tierkeep) => {
      await tierkeep.upload(key("a"), "mine");
      await tierkeep.upload(key("a", "other"), "theirs");
      await untilPublished(server);
      await damageObject(server, Buffer.from("theirs"));
      writePythonTree(server.dir, [{ tier: "warm", name: "acme/w/file", sidecar: null }]);
      const mine = await verify(tierkeep, { tenantId: "acme" });
      expect(mine).toMatchObject({ found: [], job: { tenantId: "acme", checkedCount: 1, totalErrors: 0 } });
      const theirs = await verify(tierkeep, { tenantId: "other" });
      expect(theirs.found).toEqual(["DAMAGED hot/other/w/a"]);
      const none = await verify(tierkeep, { tenantId: "nobody" });
      expect(none.job).toMatchObject({ checkedCount: 0, checkedBytes: 0 });
      expect(await refusalOf(tierkeep.verifyArtifacts({ tenantId: ".." }))).toMatchObject({
        code: "INVALID_IDENTIFIER",
      });
    });
  });

  it("resumes at the next start of a killed server and counts nothing twice", async () => {
    await using server = await startServer();
    let tierkeep = createTierkeep({ url: server.url });
    const size = 4_000_000;
    const count = 20;
    for (let index = 0; index < count; index++)
      await tierkeep.upload(key(`${index}`), Buffer.alloc(size, `${index} `));
    const { job } = await tierkeep.verifyArtifacts({ waitSeconds: 0 });
    await expect
      .poll(async () => (await tierkeep.verifyJob({ id: job.id }))?.checkedCount, {
        interval: 5,
      })
      .toBeGreaterThan(0);
    await server.kill("SIGKILL");
    await server.restart();
    tierkeep = createTierkeep({ url: server.url });
    await expect.poll(async () => (await tierkeep.verifyJob({ id: job.id }))?.status).toBe("SUCCEEDED");
    expect(await tierkeep.verifyJob({ id: job.id })).toMatchObject({
      checkedCount: count,
      checkedBytes: count * size,
      totalErrors: 0,
    });
  });
});
