import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installNode } from "../support/install-node.ts";
import { type Packer, pack, packageFolder } from "../support/packed.ts";
import {
  removeDirectory,
  runCommand,
  type Server,
  startServer,
  temporaryDirectory,
} from "../support/server.ts";

const run = promisify(execFile);
const LIMIT_MB = 60;

/** Prints the artifacts that the installed SDK lists, and the type of an export of its CommonJS build. */
const PROGRAM = `
  import { createRequire } from "node:module";
  import { createTierkeep } from "@tierkeep/sdk";
  const { nodes } = await createTierkeep({ url: process.argv[1] }).artifacts();
  console.log(nodes.map(({ artifactId }) => artifactId).join(), typeof createRequire(import.meta.url)("@tierkeep/sdk").createTierkeep);
`;

const PACKED: readonly [Packer, string][] = [
  ["npm", "24.21.0"],
  ["pnpm", "26.10.0"],
];

describe.each(PACKED)("server and SDK, packed by %s and installed by npm on Node %s", (packer, version) => {
  let dir: string;
  let project: string;
  let env: { readonly PATH: string };
  let server: Server;

  beforeAll(async () => {
    dir = await temporaryDirectory();
    project = join(dir, "project");
    for (const name of ["node", "project"]) await mkdir(join(dir, name));
    const node = await installNode(join(dir, "node"), version);
    env = { PATH: [dirname(node), process.env.PATH].join(delimiter) };
    const tarballs: string[] = [];
    for (const name of ["server", "sdk"] as const) {
      const manifest = readFileSync(join(packageFolder(name), "package.json"), "utf8");
      tarballs.push(await pack(name, packer, join(dir, "packed", name)));
      // Packing must not change the clone.
      expect(readFileSync(join(packageFolder(name), "package.json"), "utf8")).toBe(manifest);
      expect(existsSync(join(packageFolder(name), "LICENSE"))).toBe(false);
    }
    await writeFile(join(project, "package.json"), JSON.stringify({ private: true }));
    const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs];
    await run("npm", install, { cwd: project, env: { ...process.env, ...env } });
    await writeFile(join(project, "note.txt"), "kept\n");
    server = await startServer({
      dir: project,
      env,
      through: () => [join(project, "node_modules/.bin/tierkeep"), "serve"],
    });
  }, 900_000);

  afterAll(async () => {
    await server?.stop();
    await server?.[Symbol.asyncDispose]();
    await removeDirectory(dir);
  });

  const tierkeep = (...args: string[]) =>
    runCommand(args, { cwd: project, env, through: () => ["npx", "tierkeep", ...args] });

  it("contain the manifests and files of a release, and none that only the clone needs", () => {
    for (const name of ["tierkeep", "@tierkeep/sdk"]) {
      const folder = join(project, "node_modules", name);
      const text = readFileSync(join(folder, "package.json"), "utf8");
      expect(text).not.toContain("workspace:");
      expect(text).not.toContain("/src/");
      const manifest = JSON.parse(text);
      for (const field of ["private", "scripts", "devDependencies", "publishConfig"])
        expect(manifest).not.toHaveProperty(field);
      const targets = JSON.stringify([manifest.exports, manifest.bin, manifest.main, manifest.types]);
      for (const [, target = ""] of targets.matchAll(/"(\.\/[^"]+\.[a-z]+)"/g))
        if (!target.endsWith('package.json":'))
          expect([target, existsSync(join(folder, target))]).toEqual([target, true]);
      for (const file of ["README.md", "LICENSE"]) expect(existsSync(join(folder, file))).toBe(true);
      expect(existsSync(join(folder, "src"))).toBe(false);
    }
  });

  it(`need less than ${LIMIT_MB} MB of disk with all dependencies`, async () => {
    const { stdout } = await run("du", ["-sm", join(project, "node_modules")]);
    expect(Number.parseInt(stdout, 10)).toBeLessThan(LIMIT_MB);
  });

  it("write, read, verify and dry-run against the installed server", async () => {
    const { version: installed } = JSON.parse(
      readFileSync(join(project, "node_modules/tierkeep/package.json"), "utf8"),
    );
    expect((await tierkeep("--version")).stdout).toBe(`${installed}\n`);
    expect(await tierkeep("write", "acme/notes/note.txt", "note.txt")).toMatchObject({ code: 0 });
    expect(await tierkeep("read", "acme/notes/note.txt")).toMatchObject({ code: 0, stdout: "kept\n" });
    const dryRun = await tierkeep("lifecycle", "run", "--dry-run");
    expect(dryRun).toMatchObject({ code: 0, stdout: expect.stringContaining("Nothing was changed") });
    expect(await tierkeep("verify")).toMatchObject({ code: 0 });
    const args = ["--input-type=module", "--eval", PROGRAM, server.url];
    const { stdout } = await run("node", args, { cwd: project, env: { ...process.env, ...env } });
    expect(stdout).toBe("note.txt function\n");
  });

  it("serve the GraphiQL page", async () => {
    const page = await fetch(`${server.origin}/`, { headers: { accept: "text/html" } });
    expect(page.status).toBe(200);
    const text = await page.text();
    expect(text.length).toBeGreaterThan(1_000_000);
    expect(text).toContain("GraphiQL");
  });

  it("print a completion script and pass tierkeep prove", async () => {
    expect((await tierkeep("completion", "bash")).stdout).toContain("lifecycle");
    const proof = await tierkeep("prove", "--only", "tamper,crash", "--cycles", "3");
    expect(proof).toMatchObject({ code: 0, stdout: expect.stringContaining("All guarantees held") });
  });

  it("accept only the SDK's operations with ALLOWED_OPERATIONS=sdk", async () => {
    await server.restart({ ALLOWED_OPERATIONS: "sdk" });
    expect(await tierkeep("ls")).toMatchObject({ code: 0, stdout: expect.stringContaining("note.txt") });
    const body = JSON.stringify({ query: "{ viewer { actor role } }" });
    const headers = { "content-type": "application/json" };
    const response = await fetch(server.url, { method: "POST", headers, body });
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: "FORBIDDEN" } }] });
  });
});
