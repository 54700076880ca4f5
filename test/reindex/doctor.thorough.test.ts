import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTierkeep } from "@tierkeep/sdk";
import { expect, it } from "vitest";
import { damageObject } from "../support/damaged-object.ts";
import { writePythonTree } from "../support/python-tree.ts";
import { runCommand, startServer } from "../support/server.ts";
import { objectWith, viewOf } from "../support/storage-tree.ts";

const key = (artifactId: string) => ({ tenantId: "acme", workflowId: "w", artifactId });

it("tierkeep doctor reports damage, and with --repair repairs what it can until nothing is left to repair", async () => {
  await using server = await startServer();
  const tierkeep = createTierkeep({ url: server.url });
  const contents = new Map(["whole", "lost", "rotten"].map((name) => [name, Buffer.alloc(70_000, name)]));
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
  const well = await doctor();
  expect(well).toMatchObject({ code: 0, kinds: [], job: { checkedCount: 3 } });
  expect(well.checks).toEqual([
    "space STORAGE_BASE_PATH true",
    "space LOG_DIR true",
    "audit log true",
    "links true",
    "permissions true",
    "owner true",
  ]);

  rmSync((await objectWith(server, contents.get("lost") as Buffer)) ?? "");
  await damageObject(server, contents.get("rotten") as Buffer);
  const stranger = join(server.dir, "artifacts", "hot", "acme", "w", "stranger");
  writeFileSync(stranger, "nobody's");
  const found = ["DAMAGED hot/acme/w/rotten", "MISSING hot/acme/w/lost"];
  const ill = await doctor();
  expect(ill).toMatchObject({ code: 7, kinds: [...found, "STRAY hot/acme/w/stranger"] });
  expect(ill.stderr).toContain("tierkeep doctor --repair");
  const mended = await doctor("--repair");
  expect(mended).toMatchObject({
    code: 7,
    kinds: [
      "DAMAGED hot/acme/w/rotten",
      "HEALED hot/acme/w/lost",
      "MISSING hot/acme/w/lost",
      "QUARANTINED hot/acme/w/stranger",
    ],
    job: { repair: true, healedCount: 1, quarantinedCount: 1 },
  });
  expect(await (await tierkeep.download(key("lost"))).text()).toBe(`${contents.get("lost")}`);
  const quarantine = readdirSync(join(server.dir, "artifacts", ".tierkeep", "quarantine"));
  expect(quarantine.filter((name) => name.endsWith("-stranger"))).toHaveLength(1);
  expect(await doctor("--repair")).toMatchObject({ code: 7, kinds: ["DAMAGED hot/acme/w/rotten"] });
  await tierkeep.upload(key("rotten"), "written again");
  expect(await doctor("--repair")).toMatchObject({ code: 0, kinds: [] });

  const { nodes } = await tierkeep.lifecycleEventHistory({ where: { tenantId: "acme" }, direction: "ASC" });
  const told = nodes.map(({ type, artifactId }) => `${type} ${artifactId}`);
  expect(told.filter((event) => !event.startsWith("ARTIFACT_WRITTEN")).sort()).toEqual([
    "ARTIFACT_HEALED lost",
    "SCAN_ERROR lost",
    "SCAN_ERROR rotten",
    "SCAN_ERROR stranger",
    "STRAY_QUARANTINED stranger",
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
