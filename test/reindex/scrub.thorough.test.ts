import { createTierkeep, type Tierkeep } from "@tierkeep/sdk";
import { expect, it } from "vitest";
import { damageObject } from "../support/damaged-object.ts";
import { sendRaw } from "../support/raw-http.ts";
import { type Server, startServer } from "../support/server.ts";
import { viewOf } from "../support/storage-tree.ts";

const key = (artifactId: string) => ({ tenantId: "acme", workflowId: "w", artifactId });

async function metric(server: Server, name: string): Promise<number> {
  const text = (await sendRaw(server, { path: "/metrics" })).body.toString();
  return Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1]);
}

async function scanErrors(tierkeep: Tierkeep): Promise<readonly (string | null)[]> {
  const { nodes } = await tierkeep.lifecycleEventHistory({ where: { types: ["SCAN_ERROR"] } });
  return nodes.map(({ artifactId }) => artifactId).sort();
}

const soon = { timeout: 120_000 };

it("the scrubber finds damage, reports it once, and continues after the server was killed", async () => {
  await using server = await startServer({ env: { SCRUB_DAYS: "0" } });
  let tierkeep = createTierkeep({ url: server.url });
  const contents = new Map(["a", "b", "c"].map((name) => [name, Buffer.alloc(70_000, name)]));
  for (const [name, content] of contents) await tierkeep.upload(key(name), content);
  await expect.poll(() => viewOf(server).length, soon).toBe(6);
  await damageObject(server, contents.get("b") as Buffer);
  await expect.poll(() => scanErrors(tierkeep), soon).toEqual(["b"]);
  expect((await tierkeep.artifact(key("b")))?.damagedAt).not.toBeNull();
  expect((await tierkeep.artifact(key("a")))?.damagedAt).toBeNull();
  expect(await metric(server, "tierkeep_damaged_artifacts")).toBe(1);

  await server.kill("SIGKILL");
  await damageObject(server, contents.get("c") as Buffer);
  await server.restart();
  tierkeep = createTierkeep({ url: server.url });
  await expect.poll(() => scanErrors(tierkeep), soon).toEqual(["b", "c"]);
  const passEnded = () => metric(server, "tierkeep_scrub_last_pass_timestamp_seconds");
  const before = await passEnded();
  await expect.poll(passEnded, soon).toBeGreaterThan(before);
  expect(await scanErrors(tierkeep)).toEqual(["b", "c"]);
  await tierkeep.upload(key("b"), "new");
  expect((await tierkeep.artifact(key("b")))?.damagedAt).toBeNull();
  await expect.poll(() => metric(server, "tierkeep_damaged_artifacts"), soon).toBe(1);
}, 300_000);

it("a scrub pass completes despite repeated kills of the server", async () => {
  // A pass takes a few seconds, so each server process reads only a part of it.
  await using server = await startServer({ env: { SCRUB_DAYS: "0", SCRUB_RATE: "4MiB" } });
  let tierkeep = createTierkeep({ url: server.url });
  await expect
    .poll(() => metric(server, "tierkeep_scrub_last_pass_timestamp_seconds"), soon)
    .toBeGreaterThan(0);
  const size = 1_000_000;
  for (let index = 0; index < 12; index++)
    await tierkeep.upload(key(`${index}`), Buffer.alloc(size, `${index} `));
  const first = await metric(server, "tierkeep_scrub_last_pass_timestamp_seconds");
  for (let round = 0; round < 3; round++) {
    await server.kill("SIGKILL");
    await server.restart();
  }
  tierkeep = createTierkeep({ url: server.url });
  await expect
    .poll(() => metric(server, "tierkeep_scrub_last_pass_timestamp_seconds"), soon)
    .toBeGreaterThan(first);
  expect(await scanErrors(tierkeep)).toEqual([]);
}, 300_000);

it("SCRUB_DAYS=never disables the scrubber and its metrics", async () => {
  await using server = await startServer({ env: { SCRUB_DAYS: "never" } });
  const text = (await sendRaw(server, { path: "/metrics" })).body.toString();
  expect(text).toMatch(/^tierkeep_damaged_artifacts 0$/m);
  expect(text).not.toMatch("tierkeep_scrub");
});
