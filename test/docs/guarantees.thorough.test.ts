import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createTierkeep } from "@tierkeep/sdk";
import { expect, it } from "vitest";
import { runCommand } from "../support/server.ts";
import { openClone, ROOT } from "./clone.ts";
import { codeBlocksOf, consoleStepsOf } from "./code-blocks.ts";

const PAGE = readFileSync(join(ROOT, "docs/guarantees.md"), "utf8");

it("docs/guarantees.md shows the real output of verifying an audit log", async () => {
  await using clone = await openClone();
  await clone.start();
  const tierkeep = createTierkeep({ url: `${clone.origin}/graphql` });
  for (const artifactId of ["a", "b", "c", "d", "e"]) {
    await tierkeep.writeArtifact({ tenantId: "acme", workflowId: "w", artifactId, content: { text: "x" } });
  }
  await clone.stop();
  const blocks = codeBlocksOf(PAGE);
  expect(new Set(blocks.map(({ language }) => language))).toEqual(new Set(["console"]));
  for (const block of blocks) {
    for (const { command, output } of consoleStepsOf(block))
      await clone.expectOutput(command, output, `docs/guarantees.md:${block.line}`);
  }
});

it("docs/guarantees.md names existing tests, each with the suite that runs it", () => {
  const files = globSync("{schema,server,sdk,test}/**/*.test.ts", {
    cwd: ROOT,
    exclude: (path) => path === "node_modules" || path.endsWith("/node_modules"),
  });
  const suiteOf = (file: string) =>
    /^test\/(slow|browser|crash)\/|\.slow\.test\.ts$/.test(file)
      ? "slow"
      : file.endsWith(".thorough.test.ts")
        ? "thorough"
        : "fast";
  const commands = [...PAGE.matchAll(/`npm (?:test|run test:(thorough|slow)) -- ([^`]+)`/g)];
  expect(commands.length).toBeGreaterThan(5);
  for (const [command, suite = "fast", filters = ""] of commands) {
    for (const filter of filters.split(" ")) {
      const found = files.filter((file) => suiteOf(file) === suite && file.includes(filter));
      expect(found, `${command}: ${filter}`).not.toEqual([]);
    }
  }
});

it("docs/guarantees.md names every suite of tierkeep prove and no other", async () => {
  const { stdout } = await runCommand(["prove", "--help"]);
  const suites = [...stdout.matchAll(/^ {2}(\S+) \(\d+ [^)]+\): /gm)].map(([, name]) => name);
  const named = [...PAGE.matchAll(/prove --only ([\w-]+)/g)].map(([, name]) => name);
  expect(new Set(named)).toEqual(new Set(suites));
});
