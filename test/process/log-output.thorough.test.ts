import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  removeDirectory,
  runCommand,
  type Server,
  startCommand,
  startServer,
  temporaryDirectory,
} from "../support/server.ts";

let dir: string;

beforeEach(async () => {
  dir = await temporaryDirectory();
});

afterEach(() => removeDirectory(dir));

/** Redirects file descriptors of a command by a shell, which then execs the command. */
function redirected(how: string) {
  return (command: readonly string[]) =>
    ["sh", "-c", `exec "$@" ${how}`, "sh", ...command] as [string, ...string[]];
}

async function droppedLines({ origin }: Pick<Server, "origin">): Promise<number> {
  const text = await (await fetch(`${origin}/metrics`)).text();
  return Number(/^tierkeep_log_lines_dropped_total(?:\{.*\})? (\d+)/m.exec(text)?.[1]);
}

/** Sends requests, each of which writes a line to the log. */
async function makeLines({ origin }: Pick<Server, "origin">, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const response = await fetch(`${origin}/artifacts/acme`);
    expect(response.ok).toBe(false);
    await response.arrayBuffer();
  }
}

/** Creates a named pipe that is open for reading, so that opening it for writing does not block. */
function openPipe(): { readonly path: string; readonly reader: number } {
  const path = join(dir, "pipe");
  execFileSync("mkfifo", [path]);
  return { path, reader: openSync(path, constants.O_RDWR | constants.O_NONBLOCK) };
}

describe("a server whose stderr cannot be written", () => {
  it("responds, counts the lines lost on a full disk, and stops on SIGTERM", async () => {
    await using server = await startServer({ dir, through: redirected("2>/dev/full") });
    await makeLines(server, 5);
    await expect.poll(() => droppedLines(server)).toBeGreaterThanOrEqual(5);
    await server.stop();
  });

  it("responds and stops on SIGTERM although its log is a full pipe", async () => {
    const { path, reader } = openPipe();
    await using server = await startServer({ dir, through: redirected(`2>${path}`) });
    await makeLines(server, 600);
    await server.stop();
    const held = readSync(reader, Buffer.alloc(1024 * 1024));
    expect(held).toBeGreaterThan(60_000);
    closeSync(reader);
  });

  it("reports how many lines were lost while its pipe had no reader", async () => {
    const { path, reader } = openPipe();
    await using server = await startServer({ dir, through: redirected(`2>${path}`) });
    closeSync(reader);
    await makeLines(server, 3);
    await expect.poll(() => droppedLines(server)).toBeGreaterThanOrEqual(3);
    const next = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    await makeLines(server, 2);
    await server.stop();
    const buffer = Buffer.alloc(64 * 1024);
    const lines = buffer.toString("utf8", 0, readSync(next, buffer)).split("\n");
    const logged = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
    const [count, ...more] = logged.flatMap(({ dropped }) => dropped ?? []);
    expect(count).toBeGreaterThanOrEqual(3);
    expect(more).toEqual([]);
    closeSync(next);
  });
});

describe("stdout on a full disk", () => {
  it("does not end the server, which stops on SIGTERM", async () => {
    await using serve = startCommand(["serve"], {
      cwd: dir,
      env: { PORT: "0" },
      through: redirected(">/dev/full"),
    });
    const owner = () => JSON.parse(readFileSync(join(dir, "artifacts/.tierkeep/owner.json"), "utf8"));
    await expect.poll(owner).toMatchObject({ url: expect.any(String) });
    expect((await fetch(new URL("/healthz", owner().url))).status).toBe(200);
    serve.signal("SIGTERM");
    expect(await serve.ended).toMatchObject({ code: 0 });
  });

  it("ends another command with the exit code of STORAGE_FULL and a message", async () => {
    const { code, stderr } = await runCommand(["completion", "bash"], { through: redirected(">/dev/full") });
    expect([code, stderr]).toEqual([6, "tierkeep: No space is left to write stdout.\n"]);
  });
});

describe("stderr on a full disk", () => {
  it("changes no command's exit code or data", async () => {
    const version = await runCommand(["--version"], { through: redirected("2>/dev/full") });
    expect([version.code, version.stdout]).toEqual([0, expect.stringMatching(/^\d/)]);
    expect(await runCommand(["bogus"], { through: redirected("2>/dev/full") })).toMatchObject({ code: 2 });
  });
});
