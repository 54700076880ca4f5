import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The packaged command, as `npm start` runs it. */
export const COMMAND = fileURLToPath(new URL("../../server/bin/tierkeep.mjs", import.meta.url));

const READY = /^tierkeep listening on (http:\/\/\S+\/graphql)$/;
const TAKEN = /already\. Stop it, or set PORT/;

export interface ServerOptions {
  /** Settings, on top of PORT. Nothing of the test's own environment reaches the server but where programs are. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it runs, with its `artifacts` and `logs`. Default: a new folder, removed at the end. A folder that is given stays. */
  readonly dir?: string;
  /** Command line that runs the server in place of Node itself, e.g. a shell that sets a limit and then execs it. */
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
  /** Where it runs: `dir/artifacts` and `dir/logs` are its own unless `env` says otherwise. */
  readonly dir: string;
  readonly pid: number;
  /** What it has written to stderr so far, all starts together. */
  readonly stderr: string;
  /** Every line of stdout so far, all starts together. */
  readonly stdout: readonly string[];
  /** Sends the signal, and waits for nothing. */
  signal(signal: NodeJS.Signals): void;
  /** Sends the signal and resolves once the process is gone. */
  kill(signal: NodeJS.Signals): Promise<Exit>;
  /** SIGTERM; rejects unless the server exits 0. */
  stop(): Promise<void>;
  /** Starts it again in the same folder and on the same port: stops it first where it still runs. */
  restart(env?: Readonly<Record<string, string>>): Promise<void>;
  /** Resolves when the process is gone, for whatever reason. */
  readonly exited: Promise<Exit>;
}

/** Starts `tierkeep serve` and resolves once it says that it is ready; rejects with its stderr where it exits instead. */
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
  /** Command line that runs it in place of Node itself, e.g. a shell that pipes what it prints into another program. */
  readonly through?: (command: readonly string[]) => readonly [string, ...string[]];
}

/** A command under way. Disposed of, it is killed. */
export interface RunningCommand extends AsyncDisposable {
  /** What it has written so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Sends the signal, and waits for nothing. */
  signal(signal: NodeJS.Signals): void;
  /** Resolves when it has ended, whatever its exit code. */
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

/** Runs `tierkeep ARGS…` to its end, whatever its exit code. */
export async function runCommand(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return await startCommand(args, options).ended;
}

/** A new empty folder; give it back with removeDirectory, or it goes when the test process ends. */
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
 * A port to come back to after a restart, if nobody has it yet. Below those that systems give out by themselves: nobody
 * may be given it by chance while the server is away.
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
    // "close", not "exit": by then everything that it wrote has been read.
    child.on("close", (code, signal) => {
      runningChildren.delete(child);
      resolve({ code, signal });
    });
  });
  // Whoever waits for it learns of a failure; nobody has to.
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

// A test that times out or throws before it could dispose of them must leave neither processes nor folders behind; nor
// must a whole file of which its runner has had enough, and which it ends with SIGTERM.
process.on("exit", abandon);
process.on("SIGTERM", () => {
  abandon();
  process.exit(143);
});

function abandon(): void {
  for (const child of runningChildren) child.kill("SIGKILL");
  for (const dir of forgottenDirectories) rmSync(dir, { recursive: true, force: true });
}
