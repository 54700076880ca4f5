import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CASES } from "../cli/command-cases.ts";
import { ask } from "../support/client.ts";
import { runCommand } from "../support/server.ts";
import { type Clone, DOCUMENTED_ORIGIN, openClone, ROOT } from "./clone.ts";
import { type CodeBlock, codeBlocksOf, consoleStepsOf, withoutAccidents } from "./code-blocks.ts";

const README = readFileSync(join(ROOT, "README.md"), "utf8");
const CONFIGURATION = readFileSync(join(ROOT, "docs/configuration.md"), "utf8");
const COMMANDS = readFileSync(join(ROOT, "docs/cli.md"), "utf8");
const PACKAGE = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

const blocks = codeBlocksOf(README);
const first = (language: string) => blocks.find((block) => block.language === language) as CodeBlock;

let clone: Clone;

beforeAll(async () => {
  clone = await openClone();
  await clone.start();
}, 120_000);

afterAll(() => clone[Symbol.asyncDispose]());

describe("README.md", () => {
  it("names the two commands, and they are what the clone runs", () => {
    const commands = first("sh")
      .text.split("\n")
      .map((line) => line.split("#")[0]?.trim());
    expect(commands.slice(0, 2)).toEqual(["npm start", "npm test"]);
    expect(PACKAGE.scripts.start).toContain("tierkeep.mjs serve");
    // Running it here would run this test again, and so on.
    expect(PACKAGE.scripts.test).toBe("node test/vitest.mjs run --project fast");
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
          for (const step of consoleStepsOf(block)) await clone.expectOutput(step.command, step.output, at);
          break;
        case "graphql":
          answer = await ask({ url: `${clone.origin}/graphql` }, block.text);
          break;
        case "json":
          expect(shapeOf((answer as { data: unknown }).data), at).toEqual(
            shapeOf(JSON.parse(block.text).data),
          );
          break;
        case "ts":
          await writeFile(join(clone.dir, "tour.ts"), block.text.replaceAll(DOCUMENTED_ORIGIN, clone.origin));
          printed = await clone.outputOf("npm exec -- node tour.ts");
          break;
        case "text":
          expect(withoutAccidents(printed), at).toBe(withoutAccidents(block.text));
          break;
      }
    }
  });

  it("links only to files that are there", () => {
    const links = [...README.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path = ""]) => path);
    for (const path of links) expect(() => readFileSync(join(ROOT, path)), path).not.toThrow();
  });
});

describe("docs/configuration.md", () => {
  it("lists the settings that `serve --help` prints, with their defaults, and no others", async () => {
    const { stdout } = await runCommand(["serve", "--help"]);
    const printed = [...stdout.matchAll(/^ {2}([A-Z_]{4,}) +(.+) \(([^()]*)\)$/gm)].map(
      ([, name, description, byDefault]) => ({ name, description: withoutCode(description), byDefault }),
    );
    const listed = [...CONFIGURATION.matchAll(/^\| `([A-Z_]{4,})`¹? \| (.*?) \| (.*?) \| .+ \|$/gm)].map(
      ([, name, byDefault, description]) => ({ name, description: withoutCode(description), byDefault }),
    );
    expect(printed.length).toBeGreaterThan(10);
    expect(listed).toEqual(printed);
  });

  it("marks the settings that are stored with the store", async () => {
    const { stdout } = await runCommand(["serve", "--help"]);
    const [, printed = ""] = /^These settings are stored with the store: (.+)\.$/m.exec(stdout) ?? [];
    const marked = [...CONFIGURATION.matchAll(/^\| `([A-Z_]{4,})`¹ /gm)].map(([, name]) => name);
    expect(marked).toEqual(printed.split(", "));
  });
});

describe("docs/cli.md", () => {
  it("lists and documents every command", () => {
    for (const name of Object.keys(CASES)) {
      expect(COMMANDS).toContain(`| [\`${name}\`](#tierkeep-${name}) | `);
      expect(COMMANDS).toContain(`\n## tierkeep ${name}\n`);
    }
  });
});

/** The text without the backticks that make parts of it code. */
function withoutCode(text = ""): string {
  return text.replaceAll("`", "");
}

/** An answer with what differs from run to run taken out. */
function shapeOf(data: unknown): unknown {
  return JSON.parse(withoutAccidents(JSON.stringify(data)));
}
