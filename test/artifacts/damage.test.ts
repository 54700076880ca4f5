import { chmodSync, closeSync, openSync, rmSync, truncateSync, writeSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { untilPublished } from "../support/at-rest.ts";
import { ask, newTenant, refusalOf, sha256 } from "../support/client.ts";
import { problemOf, sendRaw } from "../support/raw-http.ts";
import { sharedServer } from "../support/shared-server.ts";
import { objectWith } from "../support/storage-tree.ts";

const shared = sharedServer();

type Damage = (path: string, size: number) => void;

const flipLastByte: Damage = (path, size) => {
  chmodSync(path, 0o600);
  const file = openSync(path, "r+");
  writeSync(file, Buffer.from([0xff]), 0, 1, size - 1);
  closeSync(file);
};

const cut: Damage = (path, size) => {
  chmodSync(path, 0o600);
  truncateSync(path, size - 1);
};

const lose: Damage = (path) => rmSync(path);

/** Writes an artifact and damages its bytes on disk. */
async function damaged(size: number, damage: Damage) {
  const key = { tenantId: newTenant(), workflowId: "w", artifactId: "a.bin" };
  const bytes = Buffer.alloc(size, key.tenantId);
  const { artifact } = await shared.tierkeep.upload(key, bytes);
  // Small content is inline in the catalog until it is settled into an object.
  let path: string | undefined;
  await expect
    .poll(async () => {
      path = await objectWith(shared.server, bytes);
      return path;
    })
    .toBeDefined();
  // The row may still have the inline content while its object is being written.
  await untilPublished(shared.server);
  damage(path ?? "", size);
  return { key, artifact, url: artifact.downloadUrl };
}

describe.each([
  ["with a changed last byte", flipLastByte],
  ["without its last byte", cut],
  ["that is missing", lose],
])("a small object %s", (_what, damage) => {
  it("is refused with CHECKSUM_MISMATCH before the first byte, with one event for all reads", async () => {
    const { key, url } = await damaged(5000, damage);
    for (let time = 0; time < 3; time++) {
      const answer = await sendRaw(shared.server, { path: url });
      expect([answer.status, problemOf(answer).code]).toEqual([422, "CHECKSUM_MISMATCH"]);
    }
    expect(await refusalOf(shared.tierkeep.download(key))).toMatchObject({ code: "CHECKSUM_MISMATCH" });
    const query = `query ($tenantId: String!, $workflowId: String!, $artifactId: String!) {
      artifact(tenantId: $tenantId, workflowId: $workflowId, artifactId: $artifactId) { sizeBytes base64 }
    }`;
    const { data, errors } = await ask(shared.server, query, key);
    expect(data).toEqual({ artifact: { sizeBytes: 5000, base64: null } });
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(["CHECKSUM_MISMATCH"]);
    const { nodes } = await shared.tierkeep.lifecycleEventHistory({
      where: { tenantId: key.tenantId, types: ["SCAN_ERROR"] },
    });
    expect(nodes).toMatchObject([{ ...key, actor: "system", errorCode: "CHECKSUM_MISMATCH" }]);
  });

  it("is readable again after an overwrite", async () => {
    const { key } = await damaged(5000, damage);
    expect(await refusalOf(shared.tierkeep.download(key))).toMatchObject({ code: "CHECKSUM_MISMATCH" });
    await shared.tierkeep.upload(key, "new");
    expect(await (await shared.tierkeep.download(key)).text()).toBe("new");
  });
});

describe("a large object", () => {
  it("with a changed last byte breaks off the download, so that the client detects it", async () => {
    const size = 3_000_000;
    const { key, url } = await damaged(size, flipLastByte);
    const answer = await sendRaw(shared.server, { path: url });
    expect(answer.status).toBe(200);
    expect(answer.complete).toBe(false);
    expect(answer.body.length).toBeLessThan(size);
    await expect(shared.tierkeep.download(key).then((download) => download.bytes())).rejects.toThrow();
    const { nodes } = await shared.tierkeep.lifecycleEventHistory({
      where: { tenantId: key.tenantId, types: ["SCAN_ERROR"] },
    });
    expect(nodes).toMatchObject([{ ...key, errorCode: "CHECKSUM_MISMATCH" }]);
  });

  it("without its last byte is refused before the first byte is sent", async () => {
    const { url } = await damaged(3_000_000, cut);
    const answer = await sendRaw(shared.server, { path: url });
    expect([answer.status, problemOf(answer).code]).toEqual([422, "CHECKSUM_MISMATCH"]);
    const part = await sendRaw(shared.server, { path: url, headers: { range: "bytes=0-9" } });
    expect([part.status, problemOf(part).code]).toEqual([422, "CHECKSUM_MISMATCH"]);
  });

  it("without damage downloads completely", async () => {
    const { url, artifact } = await damaged(3_000_000, () => {});
    const answer = await sendRaw(shared.server, { path: url });
    expect(answer.complete).toBe(true);
    expect(sha256(answer.body)).toBe(artifact.checksum);
  });
});
