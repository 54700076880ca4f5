import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CASES } from "../cli/command-cases.ts";
import { ask } from "../support/client.ts";
import { runCommand } from "../support/server.ts";
import { type Clone, DOCUMENTED_ORIGIN, openClone, ROOT } from "./clone.ts";
import { type CodeBlock, codeBlocksOf, consoleStepsOf, withoutAccidents } from "./code-blocks.ts";

/** Pages whose code blocks run here, in order, against one server. */
const TOURS = ["README.md", "docs/getting-started.md"];
const CONFIGURATION = readFileSync(join(ROOT, "docs/configuration.md"), "utf8");
const COMMANDS = readFileSync(join(ROOT, "docs/cli.md"), "utf8");
const PACKAGE = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));

const blocksOf = (page: string) => codeBlocksOf(readFileSync(join(ROOT, page), "utf8"));
const readme = blocksOf("README.md");
const first = (language: string) => readme.find((block) => block.language === language) as CodeBlock;

let clone: Clone;

beforeAll(async () => {
  clone = await openClone();
  await clone.start();
}, 120_000);

afterAll(() => clone[Symbol.asyncDispose]());

describe("README.md", () => {
  it("names the commands that start the server and run the tests", () => {
    const commands = first("sh")
      .text.split("\n")
      .map((line) => line.split("#")[0]?.trim());
    expect(commands.slice(0, 2)).toEqual(["npm start", "npm test"]);
    expect(PACKAGE.scripts.start).toContain("tierkeep.mjs serve");
    // Running `npm test` here would run this test recursively.
    expect(PACKAGE.scripts.test).toBe("node test/vitest.mjs run --project fast");
  });

  it("shows a diagram with the default retention", () => {
    const days = [...first("mermaid").text.matchAll(/"(\d+) days"/g)].map(([, number]) => number);
    const defaults = [...CONFIGURATION.matchAll(/^\| `\w+_RETENTION_DAYS`¹ \| (\d+) \|/gm)];
    expect(days).toEqual(defaults.map(([, number]) => number));
  });
});

describe.each(TOURS)("%s", (page) => {
  const blocks = blocksOf(page);

  it("has code blocks of all tested languages and of no others", () => {
    const kinds = new Set(blocks.map(({ language }) => language));
    kinds.delete("mermaid");
    expect(kinds).toEqual(new Set(["sh", "console", "graphql", "json", "ts", "text"]));
  });

  it("shows the real output of each step of its tour", { timeout: 120_000 }, async () => {
    let answer: unknown;
    let printed = "";
    for (const block of blocks) {
      const at = `${page}:${block.line}`;
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

/** Returns the text without backticks. */
function withoutCode(text = ""): string {
  return text.replaceAll("`", "");
}

/** Returns the response data without the values that differ between runs. */
function shapeOf(data: unknown): unknown {
  return JSON.parse(withoutAccidents(JSON.stringify(data)));
}
