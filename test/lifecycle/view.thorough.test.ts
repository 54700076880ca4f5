import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Artifact } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { daysAfter, newTenant } from "../support/client.ts";
import { sharedServer } from "../support/shared-server.ts";
import { objectWith, sidecarOf, viewOf } from "../support/storage-tree.ts";

const shared = sharedServer();

/** Waits until the view has these paths: it is published shortly after the commit. */
async function expectView(tenantId: string, paths: readonly string[]): Promise<void> {
  const expected = paths.flatMap((path) => [path, `${path}.metadata.json`]).sort();
  await expect
    .poll(() => viewOf(shared.server).filter((path) => path.split("/")[1] === tenantId))
    .toEqual(expected);
}

function factsOf(artifact: Artifact) {
  return {
    ...artifact.metadata,
    _created_at: artifact.createdAt,
    _modified_at: artifact.modifiedAt,
    _checksum: artifact.checksum,
    _size_bytes: artifact.sizeBytes,
    _content_type: artifact.contentType,
    _version: expect.any(Number),
    _age_since: artifact.ageSince,
    _object: expect.stringMatching(/^[0-9a-f]{32}$/),
  };
}

describe("the published tree", () => {
  it("shows an artifact with its sidecar only in its current tier after each step", async () => {
    const tenantId = newTenant();
    const key = { tenantId, workflowId: "w", artifactId: "a.txt" };
    const bytesAt = (tier: string) =>
      readFileSync(join(shared.server.dir, "artifacts", tier, tenantId, "w", "a.txt"), "utf8");
    const expectAt = async (tier: string, artifact: Artifact, text: string) => {
      const path = `${tier}/${tenantId}/w/a.txt`;
      await expectView(tenantId, [path]);
      await expect.poll(() => sidecarOf(shared.server, path)).toEqual(factsOf(artifact));
      expect(bytesAt(tier)).toBe(text);
    };

    const written = await shared.tierkeep.writeArtifact({
      ...key,
      content: { text: "first" },
      metadata: { author: "Alice" },
    });
    await expectAt("hot", written.artifact, "first");

    const asOf = (days: number) => daysAfter(written.artifact.ageSince, days);
    await shared.tierkeep.runLifecycle({ tenantId, asOf: asOf(8) });
    await expectAt("warm", written.artifact, "first");

    const promoted = await shared.tierkeep.promoteArtifact({ ...key, toTier: "COLD" });
    await expectAt("cold", promoted.artifact, "first");

    const restored = await shared.tierkeep.restoreArtifact(key);
    await expectAt("hot", restored.artifact, "first");

    const overwritten = await shared.tierkeep.writeArtifact({
      ...key,
      tier: "WARM",
      content: { text: "second" },
    });
    await expectAt("warm", overwritten.artifact, "second");

    await shared.tierkeep.purgeArtifact(key);
    await expectView(tenantId, []);
  });

  it("consists of hard links to read-only objects, so a move copies no bytes", async () => {
    const key = { tenantId: newTenant(), workflowId: "w", artifactId: "large.bin" };
    const bytes = Buffer.alloc(200_000, key.tenantId);
    await shared.tierkeep.upload(key, bytes);
    await expectView(key.tenantId, [`hot/${key.tenantId}/w/large.bin`]);
    const object = (await objectWith(shared.server, bytes)) ?? "";
    const inode = statSync(object).ino;
    const linkAt = (tier: string) =>
      statSync(join(shared.server.dir, "artifacts", tier, key.tenantId, "w", "large.bin"));
    expect(linkAt("hot").ino).toBe(inode);
    expect(linkAt("hot").mode & 0o222).toBe(0);
    await shared.tierkeep.promoteArtifact({ ...key, toTier: "COLD" });
    await expectView(key.tenantId, [`cold/${key.tenantId}/w/large.bin`]);
    expect(linkAt("cold").ino).toBe(inode);
  });

  it("deletes the objects of replaced and purged content from disk", async () => {
    const key = { tenantId: newTenant(), workflowId: "w", artifactId: "large.bin" };
    const [old, next] = [
      Buffer.alloc(100_000, `old ${key.tenantId}`),
      Buffer.alloc(100_000, `new ${key.tenantId}`),
    ];
    await shared.tierkeep.upload(key, old);
    await shared.tierkeep.upload(key, next);
    await expect.poll(() => objectWith(shared.server, old)).toBeUndefined();
    expect(await objectWith(shared.server, next)).toBeDefined();
    await shared.tierkeep.purgeArtifact(key);
    await expect.poll(() => objectWith(shared.server, next)).toBeUndefined();
  });

  it("separates workflows and artifacts with similar or unusual names", async () => {
    const tenantId = newTenant();
    const names = ["a", "A", "a b", "é", "😀", "%2e%2e"];
    for (const workflowId of ["w", "W"]) {
      for (const artifactId of names) {
        await shared.tierkeep.writeArtifact({
          tenantId,
          workflowId,
          artifactId,
          content: { text: `${workflowId}/${artifactId}` },
        });
      }
    }
    const paths = ["w", "W"].flatMap((workflowId) =>
      names.map((artifactId) => `hot/${tenantId}/${workflowId}/${artifactId}`),
    );
    await expectView(tenantId, paths);
    for (const path of paths) {
      const [, , workflowId, artifactId] = path.split("/");
      expect(readFileSync(join(shared.server.dir, "artifacts", path), "utf8")).toBe(
        `${workflowId}/${artifactId}`,
      );
    }
  });
});
