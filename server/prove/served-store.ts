import { CommandProcess } from "./command-process.ts";

/** A store in a folder, and the server process on it. */
export class ServedStore implements AsyncDisposable {
  /** The folder that contains `artifacts` and `logs`. */
  readonly dir: string;
  #process: CommandProcess;
  #url = "";

  readonly #env: Readonly<Record<string, string>>;

  private constructor(dir: string, env: Readonly<Record<string, string>>) {
    this.dir = dir;
    this.#env = env;
    this.#process = this.#serve();
  }

  /**
   * Starts a server on a free port, and resolves once it is ready.
   *
   * @param env settings that differ from the defaults
   */
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

  /** The GraphQL endpoint. It differs after each start. */
  get url(): string {
    return this.#url;
  }

  /** Sends SIGKILL and resolves once the process is gone. Rejects if the process had already ended. */
  async kill(): Promise<void> {
    const { child, ended } = this.#process;
    const isRunning = child.kill("SIGKILL");
    const { code, signal, stderr } = await ended;
    if (!isRunning || signal !== "SIGKILL")
      throw new Error(`The server ended unexpectedly with ${code ?? signal}:\n${stderr}`);
  }

  /** Sends SIGTERM and resolves once the process is gone. Rejects unless it exits with 0. */
  async stop(): Promise<void> {
    this.#process.child.kill("SIGTERM");
    const { code, signal, stderr } = await this.#process.ended;
    if (code !== 0) throw new Error(`After SIGTERM the server ended with ${code ?? signal}:\n${stderr}`);
  }

  /** Starts a server again after it was killed or stopped. */
  async restart(): Promise<void> {
    this.#process = this.#serve();
    this.#url = await this.#process.url();
  }

  #serve(): CommandProcess {
    // Lifecycle runs get an `asOf` at which every artifact is due.
    return new CommandProcess(this.dir, ["serve"], { TIERKEEP_ALLOW_AS_OF: "true", ...this.#env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
