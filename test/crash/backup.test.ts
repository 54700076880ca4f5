import { existsSync, readdirSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { createTierkeep } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import {
  removeDirectory,
  runCommand,
  startCommand,
  startServer,
  temporaryDirectory,
} from "../support/server.ts";
import { auditLines } from "../support/storage-tree.ts";

/** Set CRASH_BACKUPS=100 for a longer run. */
const BACKUPS = Number(process.env.CRASH_BACKUPS ?? 8);
const MANIFEST = "tierkeep-backup.json";

const env = { TIERKEEP_ALLOW_AS_OF: "true" };

/** Returns a temporary folder for backups and restored stores. */
async function backupFolder() {
  const dir = await temporaryDirectory();
  return { dir, [Symbol.asyncDispose]: () => removeDirectory(dir) };
}

/** Checks that a backup with a manifest passes verification, and that one without a manifest is rejected. */
async function expectCompleteOrRejected(backup: string): Promise<"complete" | "rejected"> {
  const isComplete = existsSync(join(backup, MANIFEST));
  const { code, stderr } = await runCommand(["restore-backup", backup, "--verify"]);
  const expected = isComplete
    ? ""
    : expect.stringContaining(`${MANIFEST}, which is written last, does not exist`);
  expect([code, stderr]).toEqual([isComplete ? 0 : 3, expected]);
  return isComplete ? "complete" : "rejected";
}

describe("backups of a server under load", () => {
  it(`contain every change acknowledged before them, or are rejected as incomplete, in ${BACKUPS} attempts`, async () => {
    await using work = await backupFolder();
    const args = ["prove", "--only", "backup", "--cycles", String(BACKUPS), "--json"];
    const { code, stdout, stderr } = await runCommand(args, { cwd: work.dir });
    console.info(stderr, stdout);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      tried: BACKUPS,
      broken: [],
      figures: { compared: Math.ceil(BACKUPS / 2), "ended early": Math.floor(BACKUPS / 2) },
    });
    expect(readdirSync(work.dir)).toEqual([]);
  }, 600_000);
});

describe("a backup", () => {
  const key = (artifactId: string) => ({ tenantId: "acme", workflowId: "nightly", artifactId });

  it("that runs out of disk space leaves no files, and does not change the store", async () => {
    await using work = await backupFolder();
    await using server = await startServer({ env });
    const tierkeep = createTierkeep({ url: server.url });
    for (const name of ["a", "b", "c"]) await tierkeep.upload(key(name), Buffer.alloc(3_000_000, name));
    const backup = join(work.dir, "backup");
    // Limits files to 512 KiB, to simulate a full disk.
    const full = await runCommand(["backup", backup], {
      cwd: server.dir,
      through: (command) => ["sh", "-c", 'ulimit -f 1024; exec "$@"', "sh", ...command],
    });
    expect([full.code, full.stdout]).toEqual([6, ""]);
    expect(full.stderr).toContain("not enough space for the backup");
    expect(readdirSync(work.dir)).toEqual([]);
    expect((await tierkeep.verifyArtifacts({})).job).toMatchObject({ damagedCount: 0, missingCount: 0 });
  });

  it("can be made of a frozen server and of a killed one", async () => {
    await using work = await backupFolder();
    await using server = await startServer({ env });
    const tierkeep = createTierkeep({ url: server.url });
    for (const name of ["a", "b"]) await tierkeep.upload(key(name), Buffer.alloc(200_000, name));
    for (const signal of ["SIGSTOP", "SIGKILL"] as const) {
      if (signal === "SIGSTOP") server.signal(signal);
      else await server.kill(signal);
      const backup = join(work.dir, signal);
      const { code, stdout } = await runCommand(["backup", backup, "--json"], { cwd: server.dir });
      expect([code, JSON.parse(stdout).artifactCount]).toEqual([0, 2]);
      expect(await expectCompleteOrRejected(backup)).toBe("complete");
    }
  });

  it("restores a lost store beside an audit log with later events", async () => {
    await using work = await backupFolder();
    await using server = await startServer({ env });
    const tierkeep = createTierkeep({ url: server.url });
    await tierkeep.upload(key("kept"), Buffer.alloc(200_000, "kept"));
    const before = await tierkeep.lifecycleEventCursor();
    const backup = join(work.dir, "backup");
    expect((await runCommand(["backup", backup], { cwd: server.dir })).code).toBe(0);
    await tierkeep.upload(key("lost"), Buffer.alloc(200_000, "lost"));
    const after = await tierkeep.lifecycleEventCursor();
    await expect.poll(() => auditLines(server), { timeout: 30_000 }).toHaveLength(2);
    await server.stop();
    await rm(join(server.dir, "artifacts"), { recursive: true });

    const restored = await runCommand(["restore-backup", backup], { cwd: server.dir });
    expect([restored.code, restored.stderr]).toEqual([0, expect.stringContaining("was not changed")]);
    await server.restart();
    const artifacts = await tierkeep.artifacts();
    expect(artifacts.nodes.map(({ artifactId }) => artifactId)).toEqual(["kept"]);
    expect(await (await tierkeep.download(key("kept"))).text()).toBe("kept".repeat(50_000));
    for (const cursor of [before, after]) {
      await expect(tierkeep.lifecycleEventHistory({ after: cursor })).rejects.toMatchObject({
        code: "CURSOR_INVALID",
      });
    }
    await tierkeep.purgeArtifact(key("kept"));
    await server.stop();
    const verified = await runCommand(["audit", "verify", "--json"], { cwd: server.dir });
    expect(verified.code, verified.stdout).toBe(0);
    expect(JSON.parse(verified.stdout)).toMatchObject({ lines: 3, gaps: [{ reason: "ahead", seq: 1 }] });
  });

  it("whose restore is killed leaves a complete store, or one that is marked as unfinished", async () => {
    await using work = await backupFolder();
    await using server = await startServer({ env });
    const tierkeep = createTierkeep({ url: server.url });
    for (const name of ["a", "b", "c"]) await tierkeep.upload(key(name), Buffer.alloc(10_000_000, name));
    const backup = join(work.dir, "backup");
    expect((await runCommand(["backup", backup], { cwd: server.dir })).code).toBe(0);
    const cwd = join(work.dir, "restored");
    await mkdir(cwd);
    const marker = join(cwd, "artifacts", ".tierkeep", "unfinished-restore");
    await using command = startCommand(["restore-backup", backup], { cwd });
    let isOver = false;
    void command.ended.then(() => {
      isOver = true;
    });
    await expect.poll(() => isOver || existsSync(marker), { timeout: 60_000, interval: 5 }).toBe(true);
    command.signal("SIGKILL");
    await command.ended;
    const { code, stderr, stdout } = await runCommand(["ls"], { cwd });
    if (existsSync(marker)) expect([code, stderr]).toEqual([2, expect.stringContaining("was not completed")]);
    else expect([code, stdout]).toEqual([0, expect.stringContaining("acme/nightly/c")]);
  });
});
