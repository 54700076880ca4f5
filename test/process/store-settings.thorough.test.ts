import { existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { createTierkeep } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import {
  type CommandResult,
  removeDirectory,
  runCommand,
  startCommand,
  startServer,
  temporaryDirectory,
} from "../support/server.ts";
import { treeOf } from "../support/storage-tree.ts";

/** Timeout in ms of tests that start many processes one after another. */
const SLOW = 300_000;

type Env = Readonly<Record<string, string>>;

async function inNewFolder(act: (dir: string) => Promise<void>): Promise<void> {
  const dir = await temporaryDirectory();
  try {
    await act(dir);
  } finally {
    await removeDirectory(dir);
  }
}

/** Runs a command line that contains no quotes. */
const run = (dir: string, line: string, env: Env = {}, input = ""): Promise<CommandResult> =>
  runCommand(line.split(" "), { cwd: dir, env, input });

async function succeed(dir: string, line: string, env: Env = {}, input = ""): Promise<CommandResult> {
  const result = await run(dir, line, env, input);
  expect(result, result.stderr).toMatchObject({ code: 0 });
  return result;
}

interface ShownSetting {
  readonly name: string;
  readonly value: string;
  readonly from: string;
  readonly pending: { readonly inForce: string } | null;
}

async function settingsIn(dir: string): Promise<ReadonlyMap<string, ShownSetting>> {
  const { stdout } = await succeed(dir, "settings --json");
  const settings = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as ShownSetting);
  return new Map(settings.map((setting) => [setting.name, setting]));
}

/** Writes a foreign file into the folder `cold` of the tree, with an mtime 100 days ago. */
function oldFileIn(dir: string): void {
  const folder = join(dir, "artifacts", "cold", "acme", "contracts");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "c.pdf");
  writeFileSync(file, "keep me");
  const then = Date.now() / 1000 - 100 * 24 * 60 * 60;
  utimesSync(file, then, then);
}

describe("the settings of a store", () => {
  it("apply to a command in cron, which purges nothing that the server would keep", async () => {
    await inNewFolder(async (dir) => {
      oldFileIn(dir);
      await succeed(dir, "reindex", { COLD_RETENTION_DAYS: "365" });
      await succeed(dir, "reindex --confirm", { COLD_RETENTION_DAYS: "365" });
      const { stdout } = await succeed(dir, "lifecycle run --live");
      expect(stdout).toContain("cold 365 d");
      expect(stdout).toMatch(/purged +0/);
      const refused = await run(dir, "lifecycle run --live", { COLD_RETENTION_DAYS: "90" });
      expect([refused.code, refused.stdout]).toEqual([2, ""]);
      expect(refused.stderr).toMatch(/COLD_RETENTION_DAYS is 90, but 365 is stored/);
    });
  });

  it("apply to a command in another folder, which writes to the store's audit log", async () => {
    await inNewFolder(async (dir) => {
      const elsewhere = join(dir, "elsewhere");
      mkdirSync(elsewhere);
      const store = { STORAGE_BASE_PATH: join(dir, "artifacts") };
      await succeed(dir, "write a/b/one -", {}, "x");
      await succeed(elsewhere, "write a/b/two -", store, "x");
      await succeed(elsewhere, "lifecycle summary", store);
      await succeed(dir, "write a/b/three -", {}, "x");
      expect(treeOf(elsewhere)).toEqual([]);
      await succeed(dir, "audit verify");
      expect((await succeed(elsewhere, "audit verify", store)).stdout).toContain("3 lines in 1 file");
      const refused = await run(elsewhere, "ls", { ...store, LOG_DIR: "logs" });
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("LOG_DIR is logs, but")]);
      expect(treeOf(elsewhere)).toEqual([]);
    });
  });

  it("apply to commands that read: the stored AUDIT_READS logs their reads", async () => {
    await inNewFolder(async (dir) => {
      await succeed(dir, "write a/b/c -", { AUDIT_READS: "true", PUBLISH_TREE: "false" }, "x");
      await succeed(dir, "read a/b/c");
      const { stdout } = await succeed(dir, "events --json");
      expect(stdout).toContain('"ARTIFACT_READ"');
      expect(existsSync(join(dir, "artifacts", "hot"))).toBe(false);
    });
  });

  it("are compared with the environment by commands that are clients of a server", async () => {
    await using server = await startServer({ env: { HOT_RETENTION_DAYS: "3" } });
    await succeed(server.dir, "ls", { HOT_RETENTION_DAYS: "3.0" });
    for (const line of ["ls", "doctor", "backup ../never", "settings", "audit verify", "open"]) {
      const { code, stderr } = await run(server.dir, line, { HOT_RETENTION_DAYS: "4", DURABILITY: "os" });
      expect([line, code]).toEqual([line, 2]);
      expect(stderr).toMatch(
        /HOT_RETENTION_DAYS is 4, but 3 is stored; DURABILITY is os, but fsync is stored/,
      );
    }
    expect((await settingsIn(server.dir)).get("HOT_RETENTION_DAYS")).toMatchObject({
      value: "3",
      from: "environment",
    });
  });

  it("are changed by serve, which logs both values and warns of a shortened retention", async () => {
    await inNewFolder(async (dir) => {
      oldFileIn(dir);
      await succeed(dir, "reindex", { COLD_RETENTION_DAYS: "365" });
      await succeed(dir, "reindex --confirm");
      await using server = await startServer({ dir, env: { COLD_RETENTION_DAYS: "90" } });
      const logged = expect.poll(() => server.stderr);
      await logged.toMatch(/changed from 365 to 90\. 1 artifact becomes due to be purged\./);
      await logged.toMatch(/Purges do not use COLD_RETENTION_DAYS 90 before .*tierkeep settings confirm/);
      expect((await settingsIn(dir)).get("COLD_RETENTION_DAYS")).toMatchObject({
        value: "90",
        pending: { inForce: "365" },
      });
      for (const mode of ["--dry-run", "--live"])
        expect((await succeed(dir, `lifecycle run ${mode}`)).stdout).toMatch(/purged +0/);
      await server.restart({ COLD_RETENTION_DAYS: "" });
      expect((await succeed(dir, "lifecycle run --live")).stdout).toMatch(/purged +0/);
      expect((await succeed(dir, "settings confirm")).stdout).toContain(
        "COLD_RETENTION_DAYS 90 is confirmed",
      );
      expect((await succeed(dir, "settings confirm")).stdout).toContain("No shortened retention waits");
      expect((await succeed(dir, "lifecycle run --dry-run")).stdout).toMatch(/would be purged +1/);
      expect((await succeed(dir, "lifecycle run --live")).stdout).toMatch(/purged +1/);
      await server.stop();
      const log = readFileSync(join(dir, "logs", "lifecycle_events.jsonl"), "utf8");
      expect(log).toMatch(/"setting_changed".*COLD_RETENTION_DAYS changed from 365 to 90\./);
      expect(log).toMatch(/"retention_confirmed"/);
      await succeed(dir, "audit verify");
    });
  });

  it("are confirmed over HTTP only with the owner's token", async () => {
    await using server = await startServer();
    const url = `${server.origin}/.well-known/tierkeep-owner/confirm-retention`;
    for (const headers of [{}, { authorization: "Bearer wrong" }])
      expect((await fetch(url, { method: "POST", headers })).status).toBe(401);
    expect((await fetch(url)).status).toBe(405);
  });

  it("are consistent in store and log after SIGKILL at any step of a start that changes them", {
    timeout: SLOW,
  }, async () => {
    await inNewFolder(async (dir) => {
      const own = join(dir, "artifacts", ".tierkeep");
      const contains = (name: string, text: string) =>
        existsSync(join(own, name)) && readFileSync(join(own, name)).includes(text);
      await succeed(dir, "write a/b/c -", { COLD_RETENTION_DAYS: "100" }, "x");
      const changes: string[] = [];
      let before = "100";
      /** Starts a server that changes the setting, and kills it as soon as `reached` is true. */
      async function killStart(after: string, reached: () => boolean): Promise<void> {
        const env = { PORT: "0", COLD_RETENTION_DAYS: after };
        await using serve = startCommand(["serve"], { cwd: dir, env });
        await expect.poll(reached, { timeout: 60_000, interval: 1 }).toBe(true);
        serve.signal("SIGKILL");
        expect(await serve.ended).toMatchObject({ signal: "SIGKILL" });
        const { value = "" } = (await settingsIn(dir)).get("COLD_RETENTION_DAYS") ?? {};
        expect([before, after]).toContain(value);
        if (value === after) changes.push(`COLD_RETENTION_DAYS changed from ${before} to ${after}.`);
        before = value;
      }

      // The catalog is open, and the change may have started.
      await killStart("101", () => contains("catalog.db-wal", ""));
      // The event is committed. config.json may have the old value.
      await killStart("102", () => contains("catalog.db-wal", "to 102."));
      expect(before).toBe("102");
      // config.json has the new value. The server does not listen yet.
      await killStart("103", () => contains("config.json", '"103"'));
      expect(before).toBe("103");

      const { stdout } = await succeed(dir, "events --type setting_changed --json");
      const logged = stdout.match(/COLD_RETENTION_DAYS changed from \d+ to \d+\./g) ?? [];
      expect(logged.toSorted()).toEqual(changes);
      await succeed(dir, "audit verify");
    });
  });
});

describe("LOG_DIR", () => {
  it("of one store is rejected for another store, before any file is created", async () => {
    await inNewFolder(async (dir) => {
      await succeed(dir, "write a/b/c -", { STORAGE_BASE_PATH: "one" }, "x");
      for (const line of ["write a/b/c -", "serve", "reindex"]) {
        const refused = await run(dir, line, { STORAGE_BASE_PATH: "two", PORT: "0" }, "x");
        expect([refused.code, refused.stdout]).toEqual([2, ""]);
        expect(refused.stderr).toContain(
          `LOG_DIR ${join(dir, "logs")} belongs to the store in ${join(dir, "one")}`,
        );
      }
      expect(existsSync(join(dir, "two"))).toBe(false);
      await succeed(dir, "write a/b/c -", { STORAGE_BASE_PATH: "two", LOG_DIR: "logs2" }, "x");
      await succeed(dir, "write a/b/d -", { STORAGE_BASE_PATH: "two" }, "x");
      for (const store of ["one", "two"]) await succeed(dir, "audit verify", { STORAGE_BASE_PATH: store });
    });
  });

  it("is found at its new path after it was moved together with the store", async () => {
    await inNewFolder(async (dir) => {
      await succeed(dir, "write a/b/c -", { STORAGE_BASE_PATH: "site/artifacts", LOG_DIR: "site/logs" }, "x");
      await rename(join(dir, "site"), join(dir, "moved"));
      const store = { STORAGE_BASE_PATH: join(dir, "moved", "artifacts") };
      await succeed(dir, "write a/b/d -", store, "x");
      expect((await succeed(dir, "audit verify", store)).stdout).toContain("2 lines in 1 file");
      expect(existsSync(join(dir, "site"))).toBe(false);
    });
  });

  it("is rejected for a copy of the store", { timeout: SLOW }, async () => {
    await inNewFolder(async (dir) => {
      await succeed(dir, "write a/b/c -", {}, "x");
      const copied = await runCommand([], {
        cwd: dir,
        through: () => ["cp", "-a", join(dir, "artifacts"), join(dir, "copy")],
      });
      expect(copied.code).toBe(0);
      const refused = await run(dir, "ls", { STORAGE_BASE_PATH: "copy" });
      expect([refused.code, refused.stderr]).toEqual([
        2,
        expect.stringContaining("of which this one is a copy"),
      ]);
      await using server = await startServer({
        dir,
        env: { STORAGE_BASE_PATH: "copy", LOG_DIR: "copy-logs" },
      });
      await succeed(dir, "ls", { STORAGE_BASE_PATH: "copy" });
      await server.stop();
    });
  });
});

describe("a folder without a store", () => {
  it.each([
    "ls",
    "read a/b/c",
    "stat a/b/c",
    "stats",
    "doctor",
    "doctor --repair",
    "verify",
    "events",
    "keys list",
    "lifecycle summary",
    "lifecycle run --live",
    "promote a/b/c --to-tier warm",
    "restore a/b/c",
    "purge a/b/c --yes",
    "reindex --dry-run",
    "reindex --confirm",
    "settings",
    "settings confirm",
    "backup ../backup",
    "audit export",
    "open",
  ])("is not changed by `%s`, which says how to create a store", async (line) => {
    await inNewFolder(async (dir) => {
      const { code, stdout, stderr } = await run(dir, line);
      expect([code, stdout]).toEqual([3, ""]);
      expect(stderr).toBe(
        "tierkeep: There is no store in ./artifacts (STORAGE_BASE_PATH). `tierkeep serve` creates one.\n",
      );
      expect(treeOf(dir)).toEqual([]);
    });
  });
});

describe("a store whose catalog is lost", () => {
  it("is reported by every command, and on a running server until a reindex", { timeout: SLOW }, async () => {
    await inNewFolder(async (dir) => {
      await using server = await startServer({ dir });
      const tierkeep = createTierkeep({ url: server.url });
      await tierkeep.upload({ tenantId: "a", workflowId: "b", artifactId: "c" }, "x");
      await server.stop();
      for (const end of ["", "-wal", "-shm"])
        rmSync(join(dir, "artifacts", ".tierkeep", `catalog.db${end}`), { force: true });
      for (const line of [
        "ls",
        "read a/b/c",
        "stats",
        "doctor",
        "write a/b/d -",
        "backup ../b",
        "settings",
      ]) {
        const { code, stdout, stderr } = await run(dir, line);
        expect([line, code, stdout]).toEqual([line, 3, ""]);
        expect(stderr).toMatch(/The catalog of the store in \.\/artifacts is lost.*tierkeep reindex/);
      }
      await server.restart();
      const lost = await run(dir, "ls");
      expect(lost.stderr).toMatch(/was lost .*tierkeep reindex/);
      await run(dir, "reindex");
      const found = await succeed(dir, "ls");
      expect(found.stdout).toContain("a/b/c");
      expect(found.stderr).not.toMatch(/was lost/);
    });
  });
});

describe("a backup", () => {
  it("contains the settings, and restoring it stores them", { timeout: SLOW }, async () => {
    await inNewFolder(async (dir) => {
      const [one, two] = [join(dir, "one"), join(dir, "two")];
      for (const folder of [one, two]) mkdirSync(folder);
      const env = { COLD_RETENTION_DAYS: "365", AUDIT_READS: "true" };
      await succeed(one, "write a/b/c -", env, "x");
      await succeed(one, "backup ../backup");
      const refused = await run(two, "restore-backup ../backup", { COLD_RETENTION_DAYS: "90" });
      expect([refused.code, refused.stderr]).toEqual([
        2,
        expect.stringContaining("COLD_RETENTION_DAYS is 90, but 365 is stored"),
      ]);
      expect(treeOf(two)).toEqual([]);
      await succeed(two, "restore-backup ../backup", { LOG_DIR: "audit" });
      const settings = await settingsIn(two);
      expect(settings.get("COLD_RETENTION_DAYS")).toMatchObject({ value: "365" });
      expect(settings.get("AUDIT_READS")).toMatchObject({ value: "true" });
      expect(settings.get("LOG_DIR")).toMatchObject({ value: join(two, "audit") });
      expect((await succeed(two, "events --type setting_changed")).stdout).toContain("LOG_DIR changed from");
      await succeed(two, "audit verify");
      await succeed(one, "audit verify");
    });
  });

  it("is not restored if LOG_DIR belongs to an existing store", async () => {
    await inNewFolder(async (dir) => {
      await succeed(dir, "write a/b/c -", {}, "x");
      await succeed(dir, "backup backup");
      const refused = await run(dir, "restore-backup backup", { STORAGE_BASE_PATH: "copy" });
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("belongs to the store in")]);
      expect(existsSync(join(dir, "copy"))).toBe(false);
    });
  });
});
