import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTierkeep } from "@tierkeep/sdk";
import { expect, it } from "vitest";
import { damageObject } from "../support/damaged-object.ts";
import { writePythonTree } from "../support/python-tree.ts";
import { runCommand, startServer } from "../support/server.ts";
import { objectWith, viewOf } from "../support/storage-tree.ts";

const key = (artifactId: string) => ({ tenantId: "acme", workflowId: "w", artifactId });

it("tierkeep doctor reports damage, and --repair repairs all except content that exists nowhere else", async () => {
  await using server = await startServer();
  const tierkeep = createTierkeep({ url: server.url });
  const contents = new Map(["sound", "lost", "damaged"].map((name) => [name, Buffer.alloc(70_000, name)]));
  for (const [name, content] of contents) await tierkeep.upload(key(name), content);
  await expect.poll(() => viewOf(server).length, { timeout: 60_000 }).toBe(6);
  const doctor = async (...args: readonly string[]) => {
    const { stdout, stderr, code } = await runCommand(["doctor", ...args, "--json"], { cwd: server.dir });
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    // The last line is the job, which has a kind as well.
    const kinds = lines.slice(0, -1).flatMap(({ kind, path }) => (kind ? [`${kind} ${path}`] : []));
    const checks = lines.flatMap(({ check, ok }) => (check ? [`${check} ${ok}`] : []));
    return { code, kinds: kinds.sort(), checks, job: lines.at(-1), stderr };
  };
  const healthy = await doctor();
  expect(healthy).toMatchObject({ code: 0, kinds: [], job: { checkedCount: 3 } });
  expect(healthy.checks).toEqual([
    "space STORAGE_BASE_PATH true",
    "space LOG_DIR true",
    "audit log true",
    "links true",
    "permissions true",
    "owner true",
  ]);

  rmSync((await objectWith(server, contents.get("lost") as Buffer)) ?? "");
  await damageObject(server, contents.get("damaged") as Buffer);
  const foreign = join(server.dir, "artifacts", "hot", "acme", "w", "foreign");
  writeFileSync(foreign, "foreign content");
  const found = ["DAMAGED hot/acme/w/damaged", "MISSING hot/acme/w/lost"];
  const damage = await doctor();
  expect(damage).toMatchObject({ code: 7, kinds: [...found, "STRAY hot/acme/w/foreign"] });
  expect(damage.stderr).toContain("tierkeep doctor --repair");
  const repaired = await doctor("--repair");
  expect(repaired).toMatchObject({
    code: 7,
    kinds: [
      "DAMAGED hot/acme/w/damaged",
      "HEALED hot/acme/w/lost",
      "MISSING hot/acme/w/lost",
      "QUARANTINED hot/acme/w/foreign",
    ],
    job: { repair: true, healedCount: 1, quarantinedCount: 1 },
  });
  expect(await (await tierkeep.download(key("lost"))).text()).toBe(`${contents.get("lost")}`);
  const quarantine = readdirSync(join(server.dir, "artifacts", ".tierkeep", "quarantine"));
  expect(quarantine.filter((name) => name.endsWith("-foreign"))).toHaveLength(1);
  expect(await doctor("--repair")).toMatchObject({ code: 7, kinds: ["DAMAGED hot/acme/w/damaged"] });
  await tierkeep.upload(key("damaged"), "written again");
  expect(await doctor("--repair")).toMatchObject({ code: 0, kinds: [] });

  const { nodes } = await tierkeep.lifecycleEventHistory({ where: { tenantId: "acme" }, direction: "ASC" });
  const events = nodes.map(({ type, artifactId }) => `${type} ${artifactId}`);
  expect(events.filter((event) => !event.startsWith("ARTIFACT_WRITTEN")).sort()).toEqual([
    "ARTIFACT_HEALED lost",
    "SCAN_ERROR damaged",
    "SCAN_ERROR foreign",
    "SCAN_ERROR lost",
    "STRAY_QUARANTINED foreign",
  ]);
}, 300_000);

it("tierkeep doctor --repair rejects an empty catalog with files in the tree and recommends a reindex", async () => {
  await using server = await startServer();
  const tierkeep = createTierkeep({ url: server.url });
  expect((await tierkeep.verifyArtifacts({ repair: true, waitSeconds: 60 })).job.status).toBe("SUCCEEDED");
  mkdirSync(join(server.dir, "artifacts", "hot"), { recursive: true });
  writePythonTree(server.dir, [{ tier: "hot", name: "acme/w/old", sidecar: null }]);
  const { stderr, code } = await runCommand(["doctor", "--repair"], { cwd: server.dir });
  expect([code, stderr]).toEqual([4, expect.stringContaining("tierkeep reindex")]);
  await tierkeep.reindex({ waitSeconds: 60 });
  expect(await tierkeep.artifact(key("old"))).not.toBeNull();
}, 180_000);
