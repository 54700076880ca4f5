import { copyFileSync } from "node:fs";
import { defineConfig } from "tsdown";

// The types of `await using` are newer than the target of many projects, so the declarations reference them.
const declarations = '/// <reference lib="esnext.disposable" />';

/** ES modules and CommonJS for every runtime, their types, and the schema for code generators. */
export default defineConfig({
  entry: { index: "src/index.ts", node: "src/node/index.ts" },
  format: ["esm", "cjs"],
  platform: "neutral",
  fixedExtension: false,
  target: "es2022",
  dts: { oxc: true },
  banner: { dts: declarations },
  deps: { neverBundle: [/^node:/] },
  hooks: {
    "build:done": () =>
      copyFileSync(
        new URL("../schema/schema.graphql", import.meta.url),
        new URL("schema.graphql", import.meta.url),
      ),
  },
});
