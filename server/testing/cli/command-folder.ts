import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandProcess, type Ended } from "../../prove/command-process.ts";

/** A temporary folder of a test, and commands that run in it. Disposing it deletes the folder. */
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
