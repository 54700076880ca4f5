import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import type { Readable } from "node:stream";

// By the package's name: this file is one folder deeper in a built package than in the sources.
const COMMAND = join(
  dirname(createRequire(import.meta.url).resolve("tierkeep/package.json")),
  "bin/tierkeep.mjs",
);

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

const running = new Set<{ readonly child: { kill(signal: "SIGKILL"): unknown } }>();

// No command outlives this process, unless this process is killed by SIGKILL.
process.on("exit", killCommands);

/** Kills all running commands, to abort a suite. Their `ended` promises resolve. */
export function killCommands(): void {
  for (const { child } of running) child.kill("SIGKILL");
}

/** The `tierkeep` command in a child process, as it is packaged. Disposing it kills the process if it still runs. */
export class CommandProcess implements AsyncDisposable {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly ended: Promise<Ended>;
  stdout = "";
  stderr = "";

  /** @param env its environment variables, in addition to PATH and a free PORT */
  constructor(folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [COMMAND, ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, PORT: "0", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(this);
    this.child.stdout.setEncoding("utf8").on("data", (text) => {
      this.stdout += text;
    });
    this.child.stderr.setEncoding("utf8").on("data", (text) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => {
      this.child.once("close", (code, signal) => {
        running.delete(this);
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /** Resolves with the endpoint once the server has printed it. Rejects if the process ends first. */
  async url(): Promise<string> {
    let ended: Ended | null = null;
    void this.ended.then((end) => {
      ended = end;
    });
    for (;;) {
      const announced = /^tierkeep listening on (\S+)\n/.exec(this.stdout)?.[1];
      if (announced !== undefined) return announced;
      if (ended) throw new Error(`The server ended before it was ready: ${JSON.stringify(ended)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }
}
