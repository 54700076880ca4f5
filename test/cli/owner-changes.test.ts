import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { writeMany } from "../support/many-artifacts.ts";
import { COMMAND, removeDirectory, startServer, temporaryDirectory } from "../support/server.ts";

const COUNT = 700;

/** A list of several pages under way: it has the first one, and can write no more of it until its stdout is read. */
async function listingIn(dir: string) {
  const child = spawn(process.execPath, [COMMAND, "ls", "many", "--json"], {
    cwd: dir,
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const stderr = text(child.stderr);
  await once(child.stdout, "readable");
  return {
    async ended() {
      const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
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

describe("a command that lists while its store's owner is killed", () => {
  it("goes on with the next server, and shows each artifact once", async () => {
    const dir = await temporaryDirectory();
    await using first = await startServer({ dir });
    await writeMany(first, "many", COUNT);
    using listing = await listingIn(dir);
    await first.kill("SIGKILL");
    await using second = await startServer({ dir });
    expect(second.url).not.toBe(first.url);
    const { code, lines, stderr } = await listing.ended();
    expect([code, stderr]).toEqual([0, ""]);
    expectAll(lines);

    // And where there is no next server, it opens the store itself.
    using alone = await listingIn(dir);
    await second.kill("SIGKILL");
    const end = await alone.ended();
    expect([end.code, end.stderr]).toEqual([0, ""]);
    expectAll(end.lines);
    await removeDirectory(dir);
  });
});
