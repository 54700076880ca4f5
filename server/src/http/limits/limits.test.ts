import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { limitsTable } from "./limits.ts";

it("limitsTable() equals the table in docs/security.md", () => {
  const docs = readFileSync(new URL("../../../../docs/security.md", import.meta.url), "utf8");
  expect(docs).toContain(`\n\n${limitsTable()}\n\n`);
});
