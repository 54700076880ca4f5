import { existsSync, readdirSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { createTierkeep } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import { pause } from "../events/resuming-client.ts";
import { seededRandom } from "../support/seeded-random.ts";
import {
  removeDirectory,
  runCommand,
  startCommand,
  startServer,
  temporaryDirectory,
} from "../support/server.ts";
import { auditLines } from "../support/storage-tree.ts";
import { changeArtifacts, runJobs, type World } from "./clients.ts";
import { inspect } from "./inspect.ts";
import { PossibleStates } from "./possible-states.ts";

const BACKUPS = Number(process.env.CRASH_BACKUPS ?? 3);
const CLIENTS = 6;
const ARTIFACTS_EACH = 12;
const MANIFEST = "tierkeep-backup.json";

const env = { TIERKEEP_ALLOW_AS_OF: "true" };

/** A folder for backups and what is restored from them. */
async function besides() {
  const dir = await temporaryDirectory();
  return { dir, [Symbol.asyncDispose]: () => removeDirectory(dir) };
}

function under(load: World): Promise<unknown> {
  return Promise.all([
    ...Array.from({ length: CLIENTS }, (_, n) => changeArtifacts(load, `tenant-${n}`, ARTIFACTS_EACH)),
    runJobs(load, "aging", ARTIFACTS_EACH * 2),
  ]);
}

/** Whatever its process came to: it is whole, or no backup. */
async function expectWholeOrNone(backup: string): Promise<"whole" | "none"> {
  const whole = existsSync(join(backup, MANIFEST));
  const { code, stderr } = await runCommand(["restore-backup", backup, "--verify"]);
  const told = whole ? "" : expect.stringContaining(`${MANIFEST}, which is written last, is not there`);
  expect([code, stderr]).toEqual([whole ? 0 : 3, told]);
  return whole ? "whole" : "none";
}

describe("a backup of a server under load", () => {
  it(`has everything that was acknowledged before it began, and nothing by half, ${BACKUPS} times over`, async () => {
    const random = seededRandom();
    await using work = await besides();
    await using server = await startServer({ env });
    const states = new PossibleStates();
    const tally = { acknowledged: 0, unanswered: 0 };
    const load = under({ url: server.url, random, states, tally });
    for (let round = 1; round <= BACKUPS; round += 1) {
      await expect.poll(() => tally.acknowledged, { timeout: 60_000 }).toBeGreaterThan(round * 100);
      const before = tally.acknowledged;
      // What each artifact may be in it: as it is now, or as anything makes it that is asked from now on.
      const possible = states.fork();
      const backup = join(work.dir, `backup-${round}`);
      const taken = await runCommand(["backup", backup, "--json"], { cwd: server.dir, env });
      expect([taken.code, taken.stderr]).toEqual([0, ""]);
      states.join(possible);

      const dir = join(work.dir, `restored-${round}`);
      const place = {
        cwd: work.dir,
        env: { STORAGE_BASE_PATH: join(dir, "artifacts"), LOG_DIR: join(dir, "logs") },
      };
      const restored = await runCommand(["restore-backup", backup], place);
      expect([restored.code, restored.stderr]).toEqual([0, expect.stringContaining("Next: tierkeep serve")]);
      await using again = await startServer({ dir, env });
      const { seq } = JSON.parse(taken.stdout);
      expect(seq).toBeGreaterThanOrEqual(before);
      await expect.poll(() => auditLines(server).length, { timeout: 60_000 }).toBeGreaterThanOrEqual(seq);
      const own = auditLines(server).slice(0, seq);
      await expect.poll(() => auditLines(again).slice(0, seq), { timeout: 30_000 }).toEqual(own);
      expect(await inspect(again, possible), `backup ${round}`).toEqual([]);
      await again.stop();
      const verified = await runCommand(["audit", "verify"], { cwd: dir });
      expect(verified.code, verified.stdout).toBe(0);
    }
    await server.kill("SIGKILL");
    await load;
    await server.restart();
    expect(await inspect(server, states)).toEqual([]);
    console.info(
      `${BACKUPS} backups (seed ${random.seed}) while ${tally.acknowledged} changes were acknowledged`,
    );
  }, 600_000);

  it("that is killed or interrupted at any moment is whole or none, and the store as if nothing had been", async () => {
    const random = seededRandom();
    await using work = await besides();
    await using server = await startServer({ env });
    const states = new PossibleStates();
    const tally = { acknowledged: 0, unanswered: 0 };
    const load = under({ url: server.url, random, states, tally });
    await expect.poll(() => tally.acknowledged, { timeout: 60_000 }).toBeGreaterThan(300);
    const outcomes: string[] = [];
    for (let round = 0; round < BACKUPS * 2; round += 1) {
      const backup = join(work.dir, `backup-${round}`);
      const signal = round % 2 === 0 ? "SIGKILL" : "SIGINT";
      await using command = startCommand(["backup", backup], { cwd: server.dir });
      const ended = command.ended.then(() => true);
      await expect.poll(() => existsSync(backup), { timeout: 60_000, interval: 5 }).toBe(true);
      await Promise.race([pause(random.between(0, 300)), ended]);
      command.signal(signal);
      const { code } = await command.ended;
      outcomes.push(`${signal} ${await expectWholeOrNone(backup)}`);
      if (code === 130) expect(existsSync(backup)).toBe(false);
    }
    console.info(outcomes.join(", "));
    await server.kill("SIGKILL");
    await load;
    await server.restart();
    // Among all else, that every object without an artifact has been removed.
    expect(await inspect(server, states)).toEqual([]);
  }, 600_000);
});

describe("a backup", () => {
  const key = (artifactId: string) => ({ tenantId: "acme", workflowId: "nightly", artifactId });

  it("for which there is no room leaves nothing, and the store as it was", async () => {
    await using work = await besides();
    await using server = await startServer({ env });
    const tierkeep = createTierkeep({ url: server.url });
    for (const name of ["a", "b", "c"]) await tierkeep.upload(key(name), Buffer.alloc(3_000_000, name));
    const backup = join(work.dir, "backup");
    // Files of more than half a megabyte are refused, as by a disk that is full there.
    const full = await runCommand(["backup", backup], {
      cwd: server.dir,
      through: (command) => ["sh", "-c", 'ulimit -f 1024; exec "$@"', "sh", ...command],
    });
    expect([full.code, full.stdout]).toEqual([6, ""]);
    expect(full.stderr).toContain("not enough room for the backup");
    expect(readdirSync(work.dir)).toEqual([]);
    expect((await tierkeep.verifyArtifacts({})).job).toMatchObject({ damagedCount: 0, missingCount: 0 });
  });

  it("is taken of a server that is frozen, and of one that was killed", async () => {
    await using work = await besides();
    await using server = await startServer({ env });
    const tierkeep = createTierkeep({ url: server.url });
    for (const name of ["a", "b"]) await tierkeep.upload(key(name), Buffer.alloc(200_000, name));
    for (const signal of ["SIGSTOP", "SIGKILL"] as const) {
      if (signal === "SIGSTOP") server.signal(signal);
      else await server.kill(signal);
      const backup = join(work.dir, signal);
      const { code, stdout } = await runCommand(["backup", backup, "--json"], { cwd: server.dir });
      expect([code, JSON.parse(stdout).artifactCount]).toEqual([0, 2]);
      expect(await expectWholeOrNone(backup)).toBe("whole");
    }
  });

  it("brings a store back to where it was lost, beside an audit log that knows more", async () => {
    await using work = await besides();
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
    expect([restored.code, restored.stderr]).toEqual([0, expect.stringContaining("left as it is")]);
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

  it("that is being restored is no store until all of it is there", async () => {
    await using work = await besides();
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
    if (existsSync(marker))
      expect([code, stderr]).toEqual([2, expect.stringContaining("that was not finished")]);
    else expect([code, stdout]).toEqual([0, expect.stringContaining("acme/nightly/c")]);
  });
});
