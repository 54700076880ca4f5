import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { writePythonTree } from "../support/python-tree.ts";
import { openClone, ROOT } from "./clone.ts";
import { codeBlocksOf, consoleStepsOf } from "./code-blocks.ts";

const GUIDE = readFileSync(join(ROOT, "docs/migrating.md"), "utf8");

it("docs/migrating.md shows the real output of each step of adopting a tree", async () => {
  await using clone = await openClone();
  writePythonTree(clone.dir, [
    { tier: "hot", name: "acme/weekly/report.md", content: "# Weekly report\n", ageDays: 3 },
    {
      tier: "cold",
      name: "acme/contracts/contract.pdf",
      content: "%PDF-1.7\n",
      ageDays: 200,
      sidecar: { retention_override: "7_years" },
    },
  ]);
  const blocks = codeBlocksOf(GUIDE);
  expect(new Set(blocks.map(({ language }) => language))).toEqual(new Set(["console"]));
  for (const block of blocks) {
    for (const { command, output } of consoleStepsOf(block))
      await clone.expectOutput(command, output, `docs/migrating.md:${block.line}`);
  }
});
