import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { referencePages } from "./pages.ts";

it("docs/configuration.md and docs/cli.md are current: `npm run codegen` writes them", async () => {
  for (const [name, text] of Object.entries(await referencePages())) {
    const page = readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), "utf8");
    expect(page, name).toBe(text);
  }
});
