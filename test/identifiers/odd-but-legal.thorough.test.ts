import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Artifact } from "@tierkeep/sdk";
import { beforeAll, describe, expect, it } from "vitest";
import { dataOf, forEachOf } from "../support/client.ts";
import { sendRaw } from "../support/raw-http.ts";
import { runCommand } from "../support/server.ts";
import { sharedServer } from "../support/shared-server.ts";
import { auditLines, sidecarOf, viewOf } from "../support/storage-tree.ts";
import { ODD } from "./names.ts";

const shared = sharedServer();

const written = new Map<string, Artifact>();

// Uses each name as a tenant, a workflow and an artifact.
const keyOf = (name: string) => ({ tenantId: name, workflowId: name, artifactId: name });

beforeAll(async () => {
  await forEachOf(ODD, async (name) => {
    const input = { ...keyOf(name), content: { text: `content of ${name}` }, metadata: { name } };
    written.set(name, (await shared.tierkeep.writeArtifact(input)).artifact);
  });
});

describe.each(ODD.map((name) => [name]))("%j", (name) => {
  it("is read unchanged through GraphQL and its URL", async () => {
    const key = keyOf(name);
    const artifact = await shared.tierkeep.artifactContent(key);
    expect(artifact).toMatchObject({ ...key, text: `content of ${name}`, metadata: { name } });
    expect(await (await shared.tierkeep.download(key)).text()).toBe(`content of ${name}`);
    const answer = await sendRaw(shared.server, { path: artifact?.downloadUrl ?? "" });
    expect([answer.status, answer.body.toString()]).toEqual([200, `content of ${name}`]);
  });

  it("is found in every list, by id and by key", async () => {
    const key = keyOf(name);
    const artifact = written.get(name);
    expect((await shared.tierkeep.artifacts({ where: { tenantId: name } })).nodes).toMatchObject([key]);
    expect((await shared.tierkeep.artifacts({ where: { workflowId: name } })).nodes).toMatchObject([key]);
    expect(
      (await shared.tierkeep.artifacts({ where: { tenantId: name, artifactIdPrefix: name } })).nodes,
    ).toHaveLength(1);
    expect(await shared.tierkeep.artifactsByKey({ keys: [key] })).toMatchObject([key]);
    expect(await shared.tierkeep.tenant({ tenantId: name })).toMatchObject({ tenantId: name });
    expect((await shared.tierkeep.workflows({ tenantId: name }))?.nodes).toMatchObject([
      { workflowId: name },
    ]);
    expect(await shared.tierkeep.node({ id: artifact?.id ?? "" })).toMatchObject(key);
    const { nodes } = await shared.tierkeep.lifecycleEventHistory({ where: key });
    expect(nodes[0]).toMatchObject({ type: "ARTIFACT_WRITTEN", ...key });
  });

  it("can be overwritten, moved, restored and included in a lifecycle run", async () => {
    const key = keyOf(name);
    const { created, artifact } = await shared.tierkeep.upload(key, `content of ${name}`, {
      metadata: { name },
    });
    expect([created, artifact.id]).toEqual([false, written.get(name)?.id]);
    await shared.tierkeep.promoteArtifact({ ...key, toTier: "COLD" });
    expect((await shared.tierkeep.restoreArtifacts({ keys: [key], toTier: "WARM" })).job).toMatchObject({
      tenantId: name,
      restoredCount: 1,
    });
    await shared.tierkeep.restoreArtifact(key);
    const { job } = await shared.tierkeep.runLifecycle({ tenantId: name });
    expect(job).toMatchObject({ status: "SUCCEEDED", tenantId: name });
    expect((await shared.tierkeep.artifact(key))?.tier).toBe("HOT");
  });
});

describe("all unusual names in one store", () => {
  it("are listed as tenants in the order of their code points", async () => {
    const { tenants } = await dataOf<{ tenants: { nodes: { tenantId: string }[] } }>(
      shared.server,
      "{ tenants(first: 500) { nodes { tenantId } } }",
    );
    const byBytes = ODD.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(tenants.nodes.map(({ tenantId }) => tenantId)).toEqual(byBytes);
  });

  it("are published under their own names with their own content", async () => {
    const paths = ODD.flatMap((name) => {
      const path = `hot/${name}/${name}/${name}`;
      return [path, `${path}.metadata.json`];
    });
    await expect.poll(() => viewOf(shared.server)).toEqual(paths.sort());
    for (const name of ODD) {
      const path = `hot/${name}/${name}/${name}`;
      expect(readFileSync(join(shared.server.dir, "artifacts", path), "utf8")).toBe(`content of ${name}`);
      expect(sidecarOf(shared.server, path)).toMatchObject({ name, _checksum: written.get(name)?.checksum });
    }
  });

  it("are in the audit log", async () => {
    await expect
      .poll(() => new Set(auditLines(shared.server).map(({ artifact_id }) => artifact_id)))
      .toEqual(new Set([...ODD, null]));
  });

  it("are accepted on the command line, including names with leading dashes", async () => {
    await forEachOf(
      ["--help", "%2e%2e"],
      async (name) => {
        await shared.tierkeep.promoteArtifact({ ...keyOf(name), toTier: "COLD" });
        const result = await runCommand([
          "restore",
          `--tenant=${name}`,
          `--workflow=${name}`,
          `--artifact=${name}`,
          "--from-tier=cold",
          `--url=${shared.server.url}`,
        ]);
        expect([name, result.code, result.stderr]).toEqual([name, 0, expect.any(String)]);
        expect((await shared.tierkeep.artifact(keyOf(name)))?.tier).toBe("HOT");
      },
      2,
    );
  });
});
