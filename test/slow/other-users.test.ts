import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createTierkeep } from "@tierkeep/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeDirectory, runCommand, startServer, temporaryDirectory } from "../support/server.ts";

// Needs root: the service runs as a different user than the operator.
const SERVICE = 65534;
const KEY = { tenantId: "acme", workflowId: "nightly", artifactId: "report.md" };

/** Runs a command as this user, with the capability to read the clone in any folder. */
function asUser(uid: number) {
  const user = ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
  const reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"];
  return (command: readonly string[]) => [...user, ...reading, ...command] as [string, ...string[]];
}

/** Reads a file as this user without capabilities, so only the file modes permit the read. */
function readBy(uid: number, path: string): Promise<{ readonly code: number | null }> {
  const user = ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups", "cat", path] as const;
  return runCommand([], { through: () => [...user] as [string, ...string[]] });
}

let dir: string;

beforeEach(async () => {
  dir = await temporaryDirectory();
  chownSync(dir, SERVICE, SERVICE);
  chmodSync(dir, 0o755);
});

afterEach(() => removeDirectory(dir));

describe("a store that belongs to a service's user", () => {
  it("rejects commands of root while the server is stopped and accepts them while it runs", async () => {
    await using server = await startServer({ dir, through: asUser(SERVICE) });
    const content = { cwd: dir, input: "content" };
    const args = ["write", "acme/nightly/report.md", "-"];
    expect(await runCommand(args, content)).toMatchObject({ code: 0 });
    await server.stop();

    const refused = await runCommand(args, content);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/belongs to the user with id 65534.*sudo -u '#65534' tierkeep/);
    const own = readdirSync(join(dir, "artifacts/.tierkeep"), { recursive: true, withFileTypes: true });
    const owners = own.map((entry) => lstatSync(join(entry.parentPath, entry.name)).uid);
    expect(new Set(owners)).toEqual(new Set([SERVICE]));

    expect(await runCommand(args, { ...content, through: asUser(SERVICE) })).toMatchObject({ code: 0 });
    await server.restart();
    await createTierkeep({ url: server.url }).upload(KEY, new TextEncoder().encode("more"));
    expect(await runCommand(["doctor"], { cwd: dir })).toMatchObject({ code: 0 });
  });

  it("cannot be created by root in a folder of the service's user", async () => {
    mkdirSync(join(dir, "artifacts"));
    chownSync(join(dir, "artifacts"), SERVICE, SERVICE);
    const refused = await runCommand(["serve"], { cwd: dir, env: { PORT: "0" } });
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("sudo -u '#65534'")]);
    await using server = await startServer({ dir, through: asUser(SERVICE) });
    await server.stop();
  });

  it("with files of another user is reported by doctor, with the chown command that corrects it", async () => {
    await using server = await startServer({ dir, through: asUser(SERVICE) });
    await createTierkeep({ url: server.url }).upload(KEY, new TextEncoder().encode("content"));
    const folder = join(dir, "artifacts/hot/acme/nightly");
    await expect.poll(() => lstatSync(folder, { throwIfNoEntry: false })?.uid).toBe(SERVICE);
    chownSync(folder, 0, 0);
    const { code, stdout } = await runCommand(["doctor"], { cwd: dir });
    expect(code).toBe(4);
    expect(stdout).toMatch(/not ok {2}owner: 1 file .*hot\/acme\/nightly.*chown -R 65534/);
  });

  it("cannot be read by other local users, even in a folder that they can enter", async () => {
    mkdirSync(join(dir, "artifacts"));
    chownSync(join(dir, "artifacts"), SERVICE, SERVICE);
    chmodSync(join(dir, "artifacts"), 0o755);
    await using server = await startServer({ dir, through: asUser(SERVICE) });
    await createTierkeep({ url: server.url }).upload(KEY, new TextEncoder().encode("content"));
    const published = join(dir, "artifacts/hot/acme/nightly/report.md");
    await expect.poll(() => lstatSync(published, { throwIfNoEntry: false })?.size).toBe(7);
    for (const path of [
      published,
      join(dir, "artifacts/.tierkeep/catalog.db"),
      join(dir, "logs/lifecycle_events.jsonl"),
    ]) {
      expect([path, (await readBy(1, path)).code]).toEqual([path, 1]);
      expect([path, (await readBy(SERVICE, path)).code]).toEqual([path, 0]);
    }
  });
});
