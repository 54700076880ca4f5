import { copyFileSync } from "node:fs";
import { defineConfig } from "tsdown";

/** What `pnpm pack` packs: modules for every runtime, their types, and the schema for code generators. */
export default defineConfig({
  entry: { index: "src/index.ts", node: "src/node/index.ts" },
  platform: "neutral",
  target: "es2022",
  dts: { oxc: true },
  deps: { neverBundle: [/^node:/] },
  hooks: {
    "build:done": () =>
      copyFileSync(
        new URL("../schema/schema.graphql", import.meta.url),
        new URL("schema.graphql", import.meta.url),
      ),
  },
});
