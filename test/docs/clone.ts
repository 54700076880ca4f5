import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { removeDirectory, temporaryDirectory } from "../support/server.ts";
import { withoutAccidents } from "./code-blocks.ts";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The server's origin in the documents. */
export const DOCUMENTED_ORIGIN = "http://127.0.0.1:4000";

/** A folder that behaves like a clone: the repository's commands run in it and write into it. */
export interface Clone extends AsyncDisposable {
  readonly dir: string;
  /** The server's origin. Before `start`, this is DOCUMENTED_ORIGIN. */
  readonly origin: string;
  /** Runs `npm start` on a free port. */
  start(env?: Readonly<Record<string, string>>): Promise<void>;
  stop(): Promise<void>;
  /** Returns the stdout of a shell command. Rejects if its exit code differs from `exitCode` (default: 0). */
  outputOf(command: string, exitCode?: number): Promise<string>;
  /** Runs a documented command and compares its stdout with the documented output, see withoutAccidents. */
  expectOutput(command: string, output: string, at: string): Promise<void>;
}

export async function openClone(): Promise<Clone> {
  const dir = await temporaryDirectory();
  const files = ["package.json", "setup.mjs", "pnpm-lock.yaml", "pnpm-workspace.yaml", "node_modules"];
  for (const path of [...files, "schema", "server", "sdk", "examples"])
    await symlink(join(ROOT, path), join(dir, path));
  await mkdir(join(dir, "test"));
  for (const path of ["test/package.json", "test/node_modules"]) {
    await symlink(join(ROOT, path), join(dir, path));
  }
  let server: ChildProcess | null = null;
  let origin = DOCUMENTED_ORIGIN;

  function run(command: string, env: Readonly<Record<string, string>> = {}): ChildProcess {
    // Drops the variables that npm and Vitest set for their own scripts: they would change how these commands
    // run.
    const own = Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_|INIT_CWD)/i.test(name));
    return spawn("bash", ["-c", command], {
      cwd: dir,
      env: { ...Object.fromEntries(own), NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  const clone: Clone = {
    dir,
    get origin() {
      return origin;
    },
    async start(env = {}) {
      server = run("npm start", { PORT: "0", ...env });
      origin = await announcedOrigin(server);
    },
    async stop() {
      if (server === null) return;
      const ended = server;
      server = null;
      ended.kill("SIGTERM");
      if (ended.exitCode === null) await once(ended, "exit");
    },
    async outputOf(command, exitCode = 0) {
      const child = run(command.replaceAll(DOCUMENTED_ORIGIN, origin));
      let stdout = "";
      let stderr = "";
      child.stdout?.on("data", (part) => {
        stdout += part;
      });
      child.stderr?.on("data", (part) => {
        stderr += part;
      });
      const [code] = await once(child, "close");
      if (code !== exitCode) throw new Error(`${command}: ended with ${code}\n${stdout}${stderr}`);
      return stdout.replaceAll(origin, DOCUMENTED_ORIGIN);
    },
    async expectOutput(command, output, at) {
      const printed = async () => withoutAccidents(await clone.outputOf(command));
      const message = `${at}: ${command}`;
      // Publishing and exporting follow the commit, so commands that read files are repeated. Other commands
      // run once.
      const looks = /^(ls|tail|cat) /.test(command);
      if (looks) await expect.poll(printed, { message }).toBe(withoutAccidents(output));
      else expect(await printed(), message).toBe(withoutAccidents(output));
    },
    async [Symbol.asyncDispose]() {
      await clone.stop();
      await removeDirectory(dir);
    },
  };
  return clone;
}

async function announcedOrigin(child: ChildProcess): Promise<string> {
  let stderr = "";
  child.stderr?.on("data", (part) => {
    stderr += part;
  });
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const [, url] = /^tierkeep listening on (\S+)\/graphql$/.exec(line) ?? [];
    if (url !== undefined) return url;
  }
  throw new Error(`npm start ended:\n${stderr}`);
}
