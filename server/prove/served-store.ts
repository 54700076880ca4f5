import { CommandProcess } from "./command-process.ts";

/** A store in a folder, and the process that serves it. */
export class ServedStore implements AsyncDisposable {
  /** With its `artifacts` and its `logs`. */
  readonly dir: string;
  #process: CommandProcess;
  #url = "";

  readonly #env: Readonly<Record<string, string>>;

  private constructor(dir: string, env: Readonly<Record<string, string>>) {
    this.dir = dir;
    this.#env = env;
    this.#process = this.#serve();
  }

  /** Resolves once it is ready, on a port that was free. `env`: settings that are not the default. */
  static async start(dir: string, env: Readonly<Record<string, string>> = {}): Promise<ServedStore> {
    const store = new ServedStore(dir, env);
    try {
      store.#url = await store.#process.url();
      return store;
    } catch (error) {
      await store[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The GraphQL endpoint, another one after each start. */
  get url(): string {
    return this.#url;
  }

  /** Kills it where it stands. Resolves once it is gone, and rejects where it had already gone by itself. */
  async kill(): Promise<void> {
    const { child, ended } = this.#process;
    const isThere = child.kill("SIGKILL");
    const { code, signal, stderr } = await ended;
    if (!isThere || signal !== "SIGKILL")
      throw new Error(`A server that nobody had stopped ended with ${code ?? signal}:\n${stderr}`);
  }

  /** Rejects unless it ends in order. */
  async stop(): Promise<void> {
    this.#process.child.kill("SIGTERM");
    const { code, signal, stderr } = await this.#process.ended;
    if (code !== 0)
      throw new Error(`A server that was told to stop ended with ${code ?? signal}:\n${stderr}`);
  }

  /** Serves it again after it was killed or stopped. */
  async restart(): Promise<void> {
    this.#process = this.#serve();
    this.#url = await this.#process.url();
  }

  #serve(): CommandProcess {
    // Runs are given an instant at which everything is due.
    return new CommandProcess(this.dir, ["serve"], { TIERKEEP_ALLOW_AS_OF: "true", ...this.#env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
