import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "../support/client.ts";
import { removeDirectory, runCommand, temporaryDirectory } from "../support/server.ts";
import { type CodeBlock, codeBlocksOf, consoleStepsOf, withoutAccidents } from "./code-blocks.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const README = readFileSync(join(ROOT, "README.md"), "utf8");
const PACKAGE = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const DOCUMENTED_ORIGIN = "http://127.0.0.1:4000";

const blocks = codeBlocksOf(README);
const first = (language: string) => blocks.find((block) => block.language === language) as CodeBlock;

/** A folder in which the repository's commands run as in a clone, and write into this folder. */
let clone: string;
let start: ChildProcess;
let origin: string;

beforeAll(async () => {
  clone = await cloneLikeFolder();
  start = run("npm start", { PORT: "0" });
  origin = await announcedOrigin(start);
}, 120_000);

afterAll(async () => {
  start.kill("SIGTERM");
  if (start.exitCode === null) await once(start, "exit");
  await removeDirectory(clone);
});

describe("README.md", () => {
  it("names the two commands, and they are what the clone runs", () => {
    const commands = first("sh")
      .text.split("\n")
      .map((line) => line.split("#")[0]?.trim());
    expect(commands.slice(0, 2)).toEqual(["npm start", "npm test"]);
    expect(PACKAGE.scripts.start).toContain("tierkeep.mjs serve");
    // Running it here would run this test again, and so on.
    expect(PACKAGE.scripts.test).toBe("vitest run --project fast");
  });

  it("has a block of every kind that is run here, and none that nobody runs", () => {
    expect(new Set(blocks.map(({ language }) => language))).toEqual(
      new Set(["sh", "console", "graphql", "json", "ts", "text"]),
    );
  });

  it("has a tour whose every step does what it says, in order", { timeout: 120_000 }, async () => {
    let answer: unknown;
    let printed = "";
    for (const block of blocks) {
      const at = `README.md:${block.line}`;
      switch (block.language) {
        case "console":
          for (const step of consoleStepsOf(block)) await expectOutput(step.command, step.output, at);
          break;
        case "graphql":
          answer = await ask({ url: `${origin}/graphql` }, block.text);
          break;
        case "json":
          expect(shapeOf((answer as { data: unknown }).data), at).toEqual(
            shapeOf(JSON.parse(block.text).data),
          );
          break;
        case "ts":
          await writeFile(join(clone, "test", "tour.ts"), block.text.replaceAll(DOCUMENTED_ORIGIN, origin));
          printed = await outputOf("npm exec -- node test/tour.ts");
          break;
        case "text":
          expect(withoutAccidents(printed), at).toBe(withoutAccidents(block.text));
          break;
      }
    }
  });

  it("lists the settings that `serve --help` prints, with their defaults, and no others", async () => {
    const { stdout } = await runCommand(["serve", "--help"]);
    const printed = [...stdout.matchAll(/^ {2}([A-Z_]{4,}) +(.+) \(([^()]*)\)$/gm)].map(
      ([, name, means, shown]) => ({ name, means, shown }),
    );
    const listed = [...README.matchAll(/^\| `([A-Z_]{4,})` +\| (.*?) +\| (.*?) +\|$/gm)].map(
      ([, name, shown, means]) => ({ name, means, shown }),
    );
    expect(printed.length).toBeGreaterThan(10);
    expect(listed).toEqual(printed);
  });

  it("links only to files that are there", () => {
    const links = [...README.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path = ""]) => path);
    for (const path of links) expect(() => readFileSync(join(ROOT, path)), path).not.toThrow();
  });
});

async function cloneLikeFolder(): Promise<string> {
  const folder = await temporaryDirectory();
  const files = ["package.json", "setup.mjs", "pnpm-lock.yaml", "pnpm-workspace.yaml", "node_modules"];
  for (const path of [...files, "schema", "server", "sdk"])
    await symlink(join(ROOT, path), join(folder, path));
  await mkdir(join(folder, "test"));
  for (const path of ["test/package.json", "test/node_modules"]) {
    await symlink(join(ROOT, path), join(folder, path));
  }
  return folder;
}

function run(command: string, env: Readonly<Record<string, string>> = {}): ChildProcess {
  // npm tells the scripts that it runs about the one that it is running: none of that is for these.
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_|INIT_CWD)/i.test(name));
  return spawn("bash", ["-c", command], {
    cwd: clone,
    env: { ...Object.fromEntries(own), NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function outputOf(command: string): Promise<string> {
  const child = run(command);
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (part) => {
    stdout += part;
  });
  child.stderr?.on("data", (part) => {
    stderr += part;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${command}: ended with ${code}\n${stdout}${stderr}`);
  return stdout;
}

async function expectOutput(command: string, output: string, at: string): Promise<void> {
  const printed = async () => {
    const text = await outputOf(command.replaceAll(DOCUMENTED_ORIGIN, origin));
    return withoutAccidents(text.replaceAll(origin, DOCUMENTED_ORIGIN));
  };
  const message = `${at}: ${command}`;
  // What is published or exported a moment behind the commit may need a second look. All else is done once.
  const looks = /^(ls|tail|cat) /.test(command);
  if (looks) await expect.poll(printed, { message, timeout: 10_000 }).toBe(withoutAccidents(output));
  else expect(await printed(), message).toBe(withoutAccidents(output));
}

/** An answer with what differs from run to run taken out. */
function shapeOf(data: unknown): unknown {
  return JSON.parse(withoutAccidents(JSON.stringify(data)));
}

async function announcedOrigin(child: ChildProcess): Promise<string> {
  let stderr = "";
  child.stderr?.on("data", (part) => {
    stderr += part;
  });
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const [, url] = /^tierkeep listening on (\S+)\/graphql$/.exec(line) ?? [];
    if (url !== undefined) return url;
  }
  throw new Error(`npm start ended:\n${stderr}`);
}
