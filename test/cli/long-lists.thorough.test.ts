import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeMany } from "../support/many-artifacts.ts";
import { COMMAND, removeDirectory, startServer, temporaryDirectory } from "../support/server.ts";

const COUNT = 700;

let dir: string;

beforeAll(async () => {
  dir = await temporaryDirectory();
  await using server = await startServer({ dir, env: { DURABILITY: "os" } });
  await writeMany(server, "many", COUNT);
  await server.stop();
});

afterAll(async () => {
  await removeDirectory(dir);
});

/** Starts a list of several pages. It has read the first page and waits until its stdout is read. */
async function listing() {
  const child = spawn(process.execPath, [COMMAND, "ls", "many", "--json"], {
    cwd: dir,
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stderr = text(child.stderr);
  await once(child.stdout, "readable");
  return {
    child,
    async ended() {
      const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
      return { code, lines: stdout.trimEnd().split("\n"), stderr: await stderr };
    },
    [Symbol.dispose]: () => void child.kill("SIGKILL"),
  };
}

function expectAll(lines: readonly string[]): void {
  const names = lines.map((line) => JSON.parse(line).artifactId);
  expect(names).toHaveLength(COUNT);
  expect(new Set(names).size).toBe(COUNT);
}

describe("a long list", () => {
  it("continues with the next server when the store's owner is killed, and shows each artifact once", async () => {
    await using first = await startServer({ dir });
    using list = await listing();
    // Otherwise the command could open the store itself before the next server does.
    list.child.kill("SIGSTOP");
    await first.kill("SIGKILL");
    await using second = await startServer({ dir });
    expect(second.url).not.toBe(first.url);
    list.child.kill("SIGCONT");
    const { code, lines, stderr } = await list.ended();
    expect([code, stderr]).toEqual([0, ""]);
    expectAll(lines);
  });

  it("opens the store itself if there is no next server", async () => {
    await using server = await startServer({ dir });
    using list = await listing();
    await server.kill("SIGKILL");
    const { code, lines, stderr } = await list.ended();
    expect([code, stderr]).toEqual([0, ""]);
    expectAll(lines);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("ends on %s while its stdout is not read", async (signal, exit) => {
    using list = await listing();
    list.child.kill(signal);
    const [code] = await once(list.child, "exit");
    expect(code).toBe(exit);
    expect((await list.ended()).stderr).toBe("");
  });
});
