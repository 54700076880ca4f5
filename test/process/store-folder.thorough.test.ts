import { generateKeyPairSync } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createTierkeep } from "@tierkeep/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type CommandResult,
  removeDirectory,
  runCommand,
  startServer,
  temporaryDirectory,
} from "../support/server.ts";

const KEY = { tenantId: "acme", workflowId: "nightly", artifactId: "report.md" };

let dir: string;

beforeEach(async () => {
  dir = await temporaryDirectory();
});

afterEach(() => removeDirectory(dir));

function serve(env: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
  return runCommand(["serve"], { cwd: dir, env: { PORT: "0", ...env } });
}

async function makeStore(): Promise<void> {
  await using server = await startServer({ dir });
  await createTierkeep({ url: server.url }).upload(KEY, new TextEncoder().encode("content"));
  await server.stop();
}

function modeOf(path: string): string {
  return (lstatSync(join(dir, path)).mode & 0o777).toString(8);
}

describe("STORAGE_BASE_PATH", () => {
  it.each(["link", "above/link/store"])("may be a symbolic link or below one: %s", async (path) => {
    mkdirSync(join(dir, "disk/store"), { recursive: true });
    mkdirSync(join(dir, "above"));
    symlinkSync("../disk", join(dir, "above/link"));
    symlinkSync("disk/store", join(dir, "link"));
    await using server = await startServer({ dir, env: { STORAGE_BASE_PATH: path } });
    await createTierkeep({ url: server.url }).upload(KEY, new TextEncoder().encode("content"));
    await server.stop();
    expect(readdirSync(join(dir, "disk/store/hot/acme/nightly"))).toContain("report.md");
    // By its other path it is the same store, with the same owner.
    await server.restart();
    const other = await serve({ STORAGE_BASE_PATH: "disk/store" });
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining(`process ${server.pid}`)]);
  });

  it("is rejected as a link to a missing folder, with the link's target", async () => {
    symlinkSync("gone", join(dir, "link"));
    const { code, stderr } = await serve({ STORAGE_BASE_PATH: "link" });
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/link is a symbolic link to gone, which does not exist/),
    ]);
    expect(readdirSync(dir)).toEqual(["link"]);
  });

  it.runIf(process.platform === "linux")(
    "is rejected below /proc, where no folder can be created",
    async () => {
      const { code, stderr } = await serve({ STORAGE_BASE_PATH: "/proc/tierkeep/store" });
      expect([code, stderr]).toEqual([
        2,
        expect.stringMatching(/^tierkeep: STORAGE_BASE_PATH \S+ cannot be written \(ENOENT\)/),
      ]);
    },
  );
});

describe("a symbolic link inside a store", () => {
  it.each([
    ".tierkeep",
    ".tierkeep/objects",
    ".tierkeep/catalog.db",
    ".tierkeep/config.json",
    ".tierkeep/owner-lock.db",
    "hot",
  ])("is rejected at the start with its path: %s", async (path) => {
    await makeStore();
    const inside = join(dir, "artifacts", path);
    renameSync(inside, join(dir, "moved"));
    symlinkSync(join(dir, "moved"), inside);
    const { code, stdout, stderr } = await serve();
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(new RegExp(`^tierkeep: \\S+/artifacts/${path} is a symbolic link.+\n$`));
  });

  it("is ignored at the path of a tier's folder with PUBLISH_TREE=false", async () => {
    mkdirSync(join(dir, "artifacts"));
    mkdirSync(join(dir, "elsewhere"));
    symlinkSync(join(dir, "elsewhere"), join(dir, "artifacts/hot"));
    await using server = await startServer({ dir, env: { PUBLISH_TREE: "false" } });
    await server.stop();
    expect(readdirSync(join(dir, "elsewhere"))).toEqual([]);
  });

  it("is found by doctor while the server runs", async () => {
    await using server = await startServer({ dir });
    renameSync(join(dir, "artifacts/hot"), join(dir, "moved"));
    symlinkSync(join(dir, "moved"), join(dir, "artifacts/hot"));
    const { code, stdout } = await runCommand(["doctor"], { cwd: server.dir });
    expect([code, stdout]).toEqual([
      4,
      expect.stringMatching(/not ok {2}links: \S+\/artifacts\/hot is a symbolic link/),
    ]);
  });
});

describe("the files of a store", () => {
  it("have modes that exclude other users from private files", async () => {
    await using server = await startServer({ dir });
    await createTierkeep({ url: server.url }).upload(KEY, new TextEncoder().encode("content"));
    const own = readdirSync(join(dir, "artifacts/.tierkeep"));
    expect(own).toEqual(
      expect.arrayContaining(["catalog.db", "catalog.db-wal", "owner.json", "owner-lock.db"]),
    );
    const modes = Object.fromEntries(own.map((name) => [name, modeOf(`artifacts/.tierkeep/${name}`)]));
    const folders = ["objects", "quarantine", "tmp"];
    expect(modes).toEqual(
      Object.fromEntries(own.map((name) => [name, folders.includes(name) ? "700" : "600"])),
    );
    expect(modeOf("artifacts/.tierkeep")).toBe("700");
    for (const path of ["artifacts", "artifacts/hot", "logs"])
      expect([path, modeOf(path)]).toEqual([path, "750"]);
    expect(modeOf("logs/lifecycle_events.jsonl")).toBe("640");
  });

  it("lose the permissions of other users at the next start, if an earlier version had set them", async () => {
    await makeStore();
    const own = join(dir, "artifacts/.tierkeep");
    const wide = ["", ...readdirSync(own)];
    for (const name of wide) chmodSync(join(own, name), 0o755);
    chmodSync(join(dir, "logs"), 0o755);
    chmodSync(join(dir, "artifacts/hot"), 0o755);
    const { stdout } = await runCommand(["doctor"], { cwd: dir });
    expect(stdout).toMatch(/not ok {2}permissions: .*artifacts\/\.tierkeep/);
    const modes = wide.map((name) => modeOf(`artifacts/.tierkeep/${name}`));
    expect(new Set(modes)).toEqual(new Set(["700", "600"]));
    // The operator chooses which users may read the tree and the log.
    expect([modeOf("logs"), modeOf("artifacts/hot")]).toEqual(["755", "755"]);
  });
});

describe("the file of AUDIT_SIGNING_KEY", () => {
  it("is reported by doctor if other users can read it", async () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const key = join(dir, "audit.pem");
    writeFileSync(key, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    await using server = await startServer({ dir, env: { AUDIT_SIGNING_KEY: key } });
    const closed = await runCommand(["doctor"], { cwd: server.dir });
    expect([closed.code, closed.stdout]).toEqual([0, expect.stringMatching(/^ok {2}signing key: /m)]);
    chmodSync(key, 0o644);
    const open = await runCommand(["doctor"], { cwd: server.dir });
    expect([open.code, open.stdout]).toEqual([
      4,
      expect.stringMatching(/^not ok {2}signing key: .+audit\.pem \(mode 0644\).+chmod 600 \S+audit\.pem/m),
    ]);
    // The file belongs to the operator, so no command changes it.
    expect(modeOf("audit.pem")).toBe("644");
  });
});

describe("a symbolic link in LOG_DIR", () => {
  it.each([
    "lifecycle_events.jsonl",
    "lifecycle_events.checkpoints.jsonl",
    "lifecycle_events.public-key.pem",
  ])("is not followed for writes: %s", async (name) => {
    mkdirSync(join(dir, "logs"));
    writeFileSync(join(dir, "victim"), "");
    symlinkSync(join(dir, "victim"), join(dir, "logs", name));
    const { code, stderr } = await serve();
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(new RegExp(`/logs/${name} is a symbolic link`)),
    ]);
    expect(lstatSync(join(dir, "victim")).size).toBe(0);
  });
});
