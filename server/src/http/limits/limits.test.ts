import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { limitsTable } from "./limits.ts";

it("docs/security.md has the table of limits as the code has it", () => {
  const docs = readFileSync(new URL("../../../../docs/security.md", import.meta.url), "utf8");
  expect(docs).toContain(`\n\n${limitsTable()}\n\n`);
});
