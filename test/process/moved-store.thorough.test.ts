import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createTierkeep } from "@tierkeep/sdk";
import { expect, it } from "vitest";
import { startServer } from "../support/server.ts";

const key = (artifactId: string) => ({ tenantId: "acme", workflowId: "nightly", artifactId });

it("a server rejects writes and is not ready while its folder is moved away, and recovers when it is back", async () => {
  await using server = await startServer();
  const tierkeep = createTierkeep({ url: server.url, retries: 0 });
  const small = Buffer.from("small");
  const large = Buffer.alloc(3_000_000, "large");
  await tierkeep.upload(key("before"), small);
  const ready = () => fetch(`${server.origin}/readyz`);
  expect((await ready()).status).toBe(200);

  const root = join(server.dir, "artifacts");
  renameSync(root, join(server.dir, "away"));
  const refused = { code: "TIER_UNAVAILABLE", message: expect.stringContaining(`${root}/.tierkeep`) };
  for (const isReplaced of [false, true]) {
    if (isReplaced) mkdirSync(join(root, ".tierkeep"), { recursive: true });
    await expect(tierkeep.upload(key("small"), small)).rejects.toMatchObject(refused);
    await expect(tierkeep.upload(key("large"), large)).rejects.toMatchObject(refused);
    const answer = await ready();
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { status: "not ready", checks: expect.objectContaining({ storage: refused.message }) },
    ]);
  }
  rmSync(root, { recursive: true });
  renameSync(join(server.dir, "away"), root);
  // The server checks the folder once a second.
  await expect.poll(async () => (await ready()).status, { timeout: 20_000 }).toBe(200);
  await tierkeep.upload(key("small"), small);
  await tierkeep.upload(key("large"), large);
  expect(Buffer.from(await (await tierkeep.download(key("before"))).bytes())).toEqual(small);
  await server.stop();
});
