import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTierkeep } from "@tierkeep/sdk";
import { describe, expect, it } from "vitest";
import {
  type CommandResult,
  removeDirectory,
  runCommand,
  type Server,
  startServer,
  temporaryDirectory,
} from "../support/server.ts";

const LOG = "lifecycle_events.jsonl";
/** Milliseconds for a test that starts several servers and commands. */
const SLOW = 90_000;

async function verify(logs: string, ...args: readonly string[]): Promise<CommandResult> {
  return await runCommand(["audit", "verify", "--log-dir", logs, ...args]);
}

async function accepted(logs: string, ...args: readonly string[]) {
  const result = await verify(logs, "--json", ...args);
  expect(result).toMatchObject({ code: 0 });
  return JSON.parse(result.stdout) as {
    readonly lines: number;
    readonly files: number;
    readonly gaps: readonly unknown[];
    readonly head: { readonly seq: number; readonly hash: string };
  };
}

/** Writes artifacts until the server stops, and calls `acknowledged` after each acknowledged write. */
async function write(server: Server, tenant: string, acknowledged: () => void): Promise<void> {
  const { origin } = server;
  for (let index = 0; ; index++) {
    try {
      await (
        await fetch(`${origin}/artifacts/${tenant}/w/${index}`, { method: "PUT", body: "x" })
      ).arrayBuffer();
    } catch {
      return;
    }
    acknowledged();
  }
}

describe("tierkeep audit verify", { timeout: SLOW }, () => {
  it("accepts the log of a running and of a killed and restarted server, and detects a changed byte", async () => {
    await using server = await startServer({ env: { AUDIT_FILE_BYTES: "16KiB" } });
    const logs = join(server.dir, "logs");
    for (let round = 0; round < 4; round++) {
      // All writes together fill more than one file of the log.
      let left = 20 + Math.floor(Math.random() * 50);
      const enough = Promise.withResolvers<void>();
      const acknowledged = () => {
        left -= 1;
        if (left === 0) enough.resolve();
      };
      const writing = ["a", "b", "c"].map((tenant) => write(server, `${tenant}${round}`, acknowledged));
      await enough.promise;
      if (round === 0) await accepted(logs);
      await server.kill("SIGKILL");
      await Promise.all(writing);
      await server.restart();
    }
    const tierkeep = createTierkeep({ url: server.url });
    const { totalCount } = await tierkeep.lifecycleEventHistory({ first: 0, withTotalCount: true });
    await server.stop();
    const { lines, files, gaps, head } = await accepted(logs);
    expect({ lines, gaps, seq: head.seq }).toEqual({ lines: totalCount, gaps: [], seq: totalCount });
    expect(files).toBeGreaterThan(1);

    const path = join(logs, LOG);
    const text = readFileSync(path, "utf8").split("\n");
    text[6] = text[6]?.replace('"dry_run":false', '"dry_run":true ') ?? "";
    writeFileSync(path, text.join("\n"));
    const found = await verify(logs);
    expect([found.code, found.stdout]).toEqual([7, expect.stringContaining(`${LOG}, line 7,`)]);
  });

  it("needs only copies of the log's files and of the public key, and detects a truncated log", async () => {
    await using server = await startServer();
    const tierkeep = createTierkeep({ url: server.url });
    const key = { tenantId: "t", workflowId: "w", artifactId: "a" };
    await tierkeep.upload(key, "x");
    await server.stop();
    const copy = await temporaryDirectory();
    try {
      const [logs, publicKey] = [join(copy, "logs"), join(copy, "kept.pem")];
      cpSync(join(server.dir, "logs"), logs, { recursive: true });
      cpSync(join(logs, "lifecycle_events.public-key.pem"), publicKey);
      await accepted(logs, "--public-key", publicKey);
      await server.restart();
      await createTierkeep({ url: server.url }).purgeArtifact(key);
      await server.stop();
      const { head } = await accepted(join(server.dir, "logs"), "--public-key", publicKey);
      const found = await verify(
        logs,
        "--public-key",
        publicKey,
        "--expect-head",
        `${head.seq}:${head.hash}`,
      );
      expect([found.code, found.stdout]).toEqual([7, expect.stringContaining("has no event 2")]);
    } finally {
      await removeDirectory(copy);
    }
  });

  it("names the option that is missing or invalid", async () => {
    const empty = await temporaryDirectory();
    try {
      expect(await verify(empty)).toMatchObject({
        code: 3,
        stdout: "",
        stderr: expect.stringContaining("--log-dir"),
      });
      expect(await verify(join(empty, "none"))).toMatchObject({ code: 2 });
      expect(await verify(empty, "--expect-head", "5:abc")).toMatchObject({ code: 2 });
      writeFileSync(join(empty, LOG), "");
      expect(await verify(empty)).toMatchObject({ code: 2, stderr: expect.stringContaining("--public-key") });
      expect(await verify(empty, "--public-key", join(empty, LOG))).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("no Ed25519 public key"),
      });
    } finally {
      await removeDirectory(empty);
    }
  });
});

describe("the key that signs the audit log", { timeout: SLOW }, () => {
  it("is generated once, and only the store's user can read it", async () => {
    await using server = await startServer();
    const path = join(server.dir, "artifacts", ".tierkeep", "audit-key.pem");
    const made = readFileSync(path, "utf8");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const published = join(server.dir, "logs", "lifecycle_events.public-key.pem");
    await expect
      .poll(() => readdirSync(join(server.dir, "logs")).includes("lifecycle_events.public-key.pem"))
      .toBe(true);
    await server.restart();
    expect(readFileSync(path, "utf8")).toBe(made);
    const own = createPublicKey(made).export({ type: "spki", format: "pem" });
    await expect.poll(() => readFileSync(published, "utf8")).toBe(own);
  });

  it("is not generated if AUDIT_SIGNING_KEY names a key", async () => {
    const dir = await temporaryDirectory();
    try {
      const { privateKey, publicKey } = generateKeyPairSync("ed25519", {
        privateKeyEncoding: { type: "pkcs8", format: "pem" },
        publicKeyEncoding: { type: "spki", format: "pem" },
      });
      writeFileSync(join(dir, "given.pem"), privateKey);
      writeFileSync(join(dir, "given.pub.pem"), publicKey);
      await using server = await startServer({ dir, env: { AUDIT_SIGNING_KEY: "given.pem" } });
      await createTierkeep({ url: server.url }).upload(
        { tenantId: "t", workflowId: "w", artifactId: "a" },
        "x",
      );
      await server.stop();
      await accepted(join(dir, "logs"), "--public-key", join(dir, "given.pub.pem"));
      expect(readdirSync(join(dir, "artifacts", ".tierkeep"))).not.toContain("audit-key.pem");
    } finally {
      await removeDirectory(dir);
    }
  });

  it("must be an Ed25519 key that exists, or the start fails", async () => {
    const dir = await temporaryDirectory();
    try {
      const { privateKey } = generateKeyPairSync("rsa", {
        modulusLength: 2048,
        privateKeyEncoding: { type: "pkcs8", format: "pem" },
        publicKeyEncoding: { type: "spki", format: "pem" },
      });
      writeFileSync(join(dir, "rsa.pem"), privateKey);
      for (const [file, says] of [
        ["absent.pem", "ENOENT"],
        ["rsa.pem", "openssl genpkey -algorithm ed25519"],
      ] as const) {
        const result = await runCommand(["serve"], { cwd: dir, env: { PORT: "0", AUDIT_SIGNING_KEY: file } });
        expect(result).toMatchObject({
          code: 2,
          stdout: "",
          stderr: expect.stringMatching(/^tierkeep: .*\n$/),
        });
        expect(result.stderr).toContain(`AUDIT_SIGNING_KEY ${file}`);
        expect(result.stderr).toContain(says);
      }
    } finally {
      await removeDirectory(dir);
    }
  });
});
