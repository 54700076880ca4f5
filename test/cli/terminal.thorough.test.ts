import { chmod, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import process from "node:process";
import { createTierkeep } from "@tierkeep/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type CommandOptions,
  removeDirectory,
  runCommand,
  type Server,
  startCommand,
  startServer,
} from "../support/server.ts";
import { copyOf, EVERYTHING_DUE, type Seed, seedStore } from "./seeded-store.ts";

let seed: Seed;
let server: Server;

beforeAll(async () => {
  seed = await seedStore();
  server = await startServer({ dir: await copyOf(seed), env: EVERYTHING_DUE });
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await removeDirectory(server.dir);
  await removeDirectory(seed.dir);
});

const run = (args: readonly string[], options: CommandOptions = {}) =>
  runCommand([...args, "--url", server.url], options);

/** Runs a command on a pseudo-terminal of this width, by the command `script`, which combines stdout and stderr. */
function onTerminal(columns: number, env: Readonly<Record<string, string>> = {}): CommandOptions {
  return {
    env: { TERM: "xterm-256color", ...env },
    through: (command) => {
      const line = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
      return ["script", "-qec", `stty cols ${columns}; ${line}`, "/dev/null"];
    },
  };
}

/** Pipes the command's stdout into `head -n 1`, and prints the command's exit code after that. */
const INTO_HEAD: CommandOptions = {
  through: (command) => [
    "bash",
    "-o",
    "pipefail",
    "-c",
    '"$@" | head -n 1; echo "exit $?"',
    "bash",
    ...command,
  ],
};

const ESCAPE = "\u001b";

describe("output on a terminal", () => {
  it("has colours and tables of the terminal's width", async () => {
    const { stdout, code } = await run(["ls"], onTerminal(50));
    expect(code).toBe(0);
    expect(stdout).toContain(`${ESCAPE}[1mtier`);
    const lines = stdout.replaceAll(new RegExp(`${ESCAPE}\\[\\d+m`, "g"), "").split("\r\n");
    expect(lines[0]).toMatch(/^artifact +tier +size/);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(50);
    expect(stdout).toContain("…");
  });

  it("has no colours with NO_COLOR or TERM=dumb", async () => {
    for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
      const { stdout } = await run(["ls"], onTerminal(80, env));
      expect(stdout).toContain("artifact");
      expect(stdout).not.toContain(ESCAPE);
    }
  });

  it("has control characters of metadata escaped", async () => {
    const { stdout } = await run(["stat", "東京/週報/まとめ.txt"], onTerminal(80, { NO_COLOR: "1" }));
    expect(stdout).toContain("title = \\u001b]0;owned\\u0007");
    expect(stdout).not.toContain(ESCAPE);
    expect(stdout).not.toContain("\u0007");
  });
});

describe("output into a pipe", () => {
  it("is neither shortened nor coloured", async () => {
    const { stdout } = await run(["ls", "acme/nightly-regression-of-everything"]);
    expect(stdout).toContain("acme/nightly-regression-of-everything/coverage-report-a.html");
    expect(stdout).not.toContain(ESCAPE);
  });

  it.each([
    ["a list", ["ls"], /^artifact/],
    ["a list for programs", ["ls", "--json"], /^\{.*\}$/],
    ["a document", ["stats", "--json"], /^\{.*\}$/],
  ])("ends without an error when the pipe is closed: %s", async (_, args, first) => {
    const { stdout, stderr } = await run(args, INTO_HEAD);
    const [line, exit] = stdout.split("\n");
    expect(exit).toBe("exit 0");
    expect(line).toMatch(first);
    expect(stderr).not.toMatch(/tierkeep:|EPIPE/);
  });

  it("ends events --follow with the next line after the pipe is closed", async () => {
    await using following = startCommand(
      ["events", "--follow", "--json", "--show", "1", "--url", server.url],
      INTO_HEAD,
    );
    let ended = false;
    void following.ended.then(() => {
      ended = true;
    });
    // Until head has ended, the pipe still accepts lines.
    const tierkeep = createTierkeep({ url: server.url });
    for (let index = 0; !ended; index += 1) {
      const key = { tenantId: "noisy", workflowId: "w", artifactId: `a-${index}` };
      await tierkeep.writeArtifact({ ...key, content: { text: "" } });
    }
    const { stdout, stderr } = await following.ended;
    expect([stdout.split("\n").slice(1), stderr]).toEqual([["exit 0", ""], ""]);
  });

  it("of --help ends without an error when the pipe is closed", async () => {
    const { stdout, stderr } = await runCommand(["serve", "--help"], INTO_HEAD);
    expect([stdout, stderr]).toEqual(["Usage: tierkeep serve [options]\nexit 0\n", ""]);
  });
});

describe("a misspelt command, option or value", () => {
  it.each([
    [["lifecylce"], "unknown command 'lifecylce'", "Did you mean lifecycle?"],
    [["lifecycle", "rnu"], "unknown command 'rnu'", "Did you mean run?"],
    [["help", "evnets"], "unknown command 'evnets'", "Did you mean events?"],
    [["evnets", "--help"], "unknown command 'evnets'", "Did you mean events?"],
    [["ls", "--teir", "hot"], "unknown option '--teir'", "Did you mean --tier?"],
    [["ls", "--tier", "tepid"], "--tier <tier>", "Give hot, warm, cold."],
  ])("%j ends with 2 and a suggestion", async (args, ...words) => {
    const { code, stdout, stderr } = await runCommand(args);
    expect([code, stdout]).toEqual([2, ""]);
    for (const word of words) expect(stderr).toContain(word);
  });
});

it("help X prints the same as X --help", async () => {
  for (const path of [[], ["ls"], ["lifecycle", "run"]]) {
    const help = await runCommand(["help", ...path]);
    expect(help).toEqual(await runCommand([...path, "--help"]));
    expect(help.stdout).toMatch(/^Usage: tierkeep/);
  }
});

describe("open", () => {
  it("opens the page's address in the browser if there is a display", async () => {
    const bin = await browserIn(server.dir);
    const { stdout, stderr, code } = await run(["open"], {
      env: { DISPLAY: ":0", PATH: `${bin}${delimiter}${process.env.PATH}` },
      cwd: server.dir,
    });
    expect([code, stdout, stderr]).toEqual([0, `${server.origin}/\n`, ""]);
    await expect.poll(() => opened(server.dir)).toBe(`${server.origin}/\n`);
  });

  it("finds the server that owns the store of this folder", async () => {
    const { stdout, code } = await runCommand(["open", "--json"], { cwd: server.dir });
    expect([code, JSON.parse(stdout)]).toEqual([0, { url: `${server.origin}/` }]);
  });
});

/** Creates a program `xdg-open` that writes its argument to a file. */
async function browserIn(dir: string): Promise<string> {
  const program = join(dir, "xdg-open");
  await writeFile(program, '#!/bin/sh\necho "$1" > opened\n');
  await chmod(program, 0o755);
  return dir;
}

function opened(dir: string): Promise<string> {
  return readFile(join(dir, "opened"), "utf8").catch(() => "");
}
