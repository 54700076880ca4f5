import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Path of the packaged command, which `npm start` runs. */
export const COMMAND = fileURLToPath(new URL("../../server/bin/tierkeep.mjs", import.meta.url));

const READY = /^tierkeep listening on (http:\/\/\S+\/graphql)$/;
const TAKEN = /already listens at .*Stop it, or set PORT/;

export interface ServerOptions {
  /**
   * Settings in addition to PORT. Of the test's environment, the server gets only the variables in `surroundings`.
   */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Working directory, with `artifacts` and `logs`. Default: a new folder, removed at the end. A given folder
   * is kept.
   */
  readonly dir?: string;
  /** Returns the command line that runs the given one, e.g. a shell that sets a limit and then execs it. */
  readonly through?: (command: readonly string[]) => readonly [string, ...string[]];
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Server extends AsyncDisposable {
  /** The GraphQL endpoint, as the server announced it: `http://HOST:PORT/graphql`. */
  readonly url: string;
  /** `http://HOST:PORT`. */
  readonly origin: string;
  /** `ws://HOST:PORT/graphql`. */
  readonly webSocketUrl: string;
  /** Working directory. The server uses `dir/artifacts` and `dir/logs` unless `env` changes them. */
  readonly dir: string;
  readonly pid: number;
  /** The stderr of all starts so far. */
  readonly stderr: string;
  /** The stdout lines of all starts so far. */
  readonly stdout: readonly string[];
  /** Sends the signal, and waits for nothing. */
  signal(signal: NodeJS.Signals): void;
  /** Sends the signal and resolves once the process is gone. */
  kill(signal: NodeJS.Signals): Promise<Exit>;
  /** Sends SIGTERM. Rejects unless the server exits with code 0. */
  stop(): Promise<void>;
  /** Restarts the server in the same folder and on the same port. Stops it first if it is running. */
  restart(env?: Readonly<Record<string, string>>): Promise<void>;
  /** Resolves when the process has exited, for any reason. */
  readonly exited: Promise<Exit>;
}

/** Starts `tierkeep serve` and resolves once it is ready. Rejects with its stderr if it exits before that. */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const dir = options.dir ?? (await temporaryDirectory());
  const remove = options.dir === undefined;
  if (remove) forgottenDirectories.add(dir);
  const stdout: string[] = [];
  let stderr = "";
  let env = { PORT: portToKeep(), ...options.env };
  let url = "";
  let running: Running | null = null;

  async function start(): Promise<void> {
    const command = [process.execPath, COMMAND, "serve"];
    const [file, ...args] = options.through?.(command) ?? (command as [string, ...string[]]);
    const next = spawnOwned(file, args, dir, env);
    running = next;
    next.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    url = await new Promise<string>((resolve, reject) => {
      const lines = createInterface({ input: next.child.stdout as NodeJS.ReadableStream });
      lines.on("line", (line) => {
        stdout.push(line);
        const announced = READY.exec(line)?.[1];
        if (announced !== undefined) resolve(announced);
        else reject(new Error(`unexpected line on stdout: ${line}`));
      });
      next.exited.then(
        ({ code, signal }) => reject(new Error(`serve ended with ${code ?? signal}:\n${stderr}`)),
        reject,
      );
    });
    env = { ...env, PORT: new URL(url).port };
  }

  async function startAnywhere(): Promise<void> {
    for (;;) {
      try {
        return await start();
      } catch (error) {
        if (options.env?.PORT !== undefined || !TAKEN.test((error as Error).message)) throw error;
        env = { ...env, PORT: portToKeep() };
        stderr = "";
      }
    }
  }

  function current(): Running {
    if (running === null) throw new Error("the server has not been started");
    return running;
  }

  async function end(): Promise<void> {
    const { child, exited } = current();
    if (!isGone(child)) {
      child.kill("SIGCONT");
      child.kill("SIGKILL");
    }
    await exited;
  }

  const server: Server = {
    get url() {
      return url;
    },
    get origin() {
      return new URL(url).origin;
    },
    get webSocketUrl() {
      return url.replace(/^http/, "ws");
    },
    dir,
    get pid() {
      return current().child.pid as number;
    },
    get stderr() {
      return stderr;
    },
    get stdout() {
      return stdout;
    },
    get exited() {
      return current().exited;
    },
    signal(signal) {
      current().child.kill(signal);
    },
    async kill(signal) {
      const { child, exited } = current();
      child.kill(signal);
      return await exited;
    },
    async stop() {
      const { child, exited } = current();
      child.kill("SIGTERM");
      const exit = await exited;
      if (exit.code !== 0) throw new Error(`serve ended with ${exit.code ?? exit.signal}:\n${stderr}`);
    },
    async restart(changed = {}) {
      if (!isGone(current().child)) await server.stop();
      env = { ...env, ...changed };
      await start();
    },
    async [Symbol.asyncDispose]() {
      await end();
      if (remove) await removeDirectory(dir);
    },
  };

  try {
    await startAnywhere();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

export interface CommandResult extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Written to the command's stdin, which is then closed. */
  readonly input?: string;
  /**
   * Returns the command line that runs the given one, e.g. a shell that pipes its output into another
   * program.
   */
  readonly through?: (command: readonly string[]) => readonly [string, ...string[]];
}

/** A running command. Disposal kills it. */
export interface RunningCommand extends AsyncDisposable {
  /** The stdout so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Sends the signal, and waits for nothing. */
  signal(signal: NodeJS.Signals): void;
  /** Resolves when the command has exited, with any exit code. */
  readonly ended: Promise<CommandResult>;
}

/** Starts `tierkeep ARGS…`. */
export function startCommand(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  const { through = (same) => same as [string, ...string[]], cwd = tmpdir(), env = {} } = options;
  const [file, ...rest] = through([process.execPath, COMMAND, ...args]);
  const { child, exited } = spawnOwned(file, rest, cwd, env);
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  // A command that ends without reading its input breaks the pipe; that is its own affair.
  child.stdin?.on("error", () => {});
  child.stdin?.end(options.input ?? "");
  return {
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    signal: (signal) => void child.kill(signal),
    ended: exited.then((exit) => ({ ...exit, stdout, stderr })),
    async [Symbol.asyncDispose]() {
      if (!isGone(child)) child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Runs `tierkeep ARGS…` until it exits, with any exit code. */
export async function runCommand(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return await startCommand(args, options).ended;
}

/** Creates an empty folder. removeDirectory removes it, at the latest the end of the test process. */
export async function temporaryDirectory(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "tierkeep-test-"));
  forgottenDirectories.add(dir);
  return dir;
}

export async function removeDirectory(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  forgottenDirectories.delete(dir);
}

let ports = Math.floor(Math.random() * 12_000);

/**
 * Returns a port that a restarted server can reuse. Another process may already use it. It is below the
 * ephemeral ports, so the system does not assign it to another process while the server is stopped.
 */
function portToKeep(): string {
  ports = (ports + 1) % 12_000;
  return String(20_000 + ports);
}

interface Running {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
}

function spawnOwned(
  file: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Running {
  const child = spawn(file, args, { cwd, env: { ...surroundings(), ...env }, stdio: "pipe" });
  runningChildren.add(child);
  const exited = new Promise<Exit>((resolve, reject) => {
    child.on("error", reject);
    // "close", not "exit", because all output has been read by then.
    child.on("close", (code, signal) => {
      runningChildren.delete(child);
      resolve({ code, signal });
    });
  });
  // Callers that await `exited` still get the error. Without this handler it would be an unhandled rejection.
  exited.catch(() => {});
  return { child, exited };
}

function isGone(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function surroundings(): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of ["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SystemRoot"]) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}

const runningChildren = new Set<ChildProcess>();
const forgottenDirectories = new Set<string>();

// A test that times out or throws before disposal must not leave processes or folders behind. The same
// applies to a test file that its runner stops with SIGTERM.
process.on("exit", abandon);
process.on("SIGTERM", () => {
  abandon();
  process.exit(143);
});

function abandon(): void {
  for (const child of runningChildren) child.kill("SIGKILL");
  for (const dir of forgottenDirectories) rmSync(dir, { recursive: true, force: true });
}
