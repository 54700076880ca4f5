// Writes docs/configuration.md and docs/cli.md from the code. Run by `codegen`; a unit test checks that they are current.
import { writeFileSync } from "node:fs";
import { referencePages } from "./src/cli/reference/pages.ts";

for (const [name, text] of Object.entries(await referencePages())) {
  writeFileSync(new URL(`../docs/${name}`, import.meta.url), text);
}
