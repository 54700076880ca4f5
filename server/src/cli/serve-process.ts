import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

const COMMAND = fileURLToPath(new URL("../../bin/tierkeep.mjs", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command in a process of its own; killed, if it still runs, at the end of the test. */
export class CommandProcess implements AsyncDisposable {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly ended: Promise<Ended>;
  stdout = "";
  stderr = "";

  constructor(folder: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.child = spawn(process.execPath, [COMMAND, ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, PORT: "0", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout.setEncoding("utf8").on("data", (text) => {
      this.stdout += text;
    });
    this.child.stderr.setEncoding("utf8").on("data", (text) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => {
      this.child.once("close", (code, signal) =>
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr }),
      );
    });
  }

  /** The endpoint, once the server has announced it. Rejects where it ends instead. */
  async url(): Promise<string> {
    let ended: Ended | null = null;
    void this.ended.then((end) => {
      ended = end;
    });
    for (;;) {
      const announced = /^tierkeep listening on (\S+)\n/.exec(this.stdout)?.[1];
      if (announced !== undefined) return announced;
      if (ended) throw new Error(`it ended: ${JSON.stringify(ended)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }
}

/** A folder for a test, removed at its end, and commands that run in it. */
export class Folder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<Folder> {
    return new Folder(await mkdtemp(join(tmpdir(), "tierkeep-cli-")));
  }

  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): CommandProcess {
    return new CommandProcess(this.path, args, env);
  }

  async run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    await using command = this.start(args, env);
    return await command.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
