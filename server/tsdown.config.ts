import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "tsdown";

const { dependencies } = JSON.parse(readFileSync(new URL("./package.json", import.meta.url), "utf8"));
const ofWorkspace = Object.keys(dependencies).filter((name) => dependencies[name].startsWith("workspace:"));
/** Packages that are many times larger than what is used of them: GraphiQL's page is there twice, lru-cache has 3 MB of maps. */
const builtIn = [...ofWorkspace, "@graphql-yoga/render-graphiql", "lru-cache"];
/** The command, and the scripts of worker threads, which are loaded by URL. */
const scripts = ["src/cli/main.ts", ...globSync("src/**/*-{thread,worker}.ts", { cwd: import.meta.dirname })];
const isBuiltIn = (id: string) => builtIn.some((name) => id === name || id.startsWith(`${name}/`));

/**
 * Builds the package's JavaScript: one module below dist/ for each source file, at the same path as below this folder,
 * and the modules of the workspace's other packages. npm dependencies are installed, not built in.
 */
export default defineConfig({
  entry: Object.fromEntries(scripts.map((path) => [path.replace(/\.ts$/, ""), path])),
  platform: "node",
  fixedExtension: false,
  target: "esnext",
  unbundle: true,
  dts: false,
  deps: {
    alwaysBundle: isBuiltIn,
    // A bare name that is not built in, also where a built-in package imports it.
    neverBundle: (id) => /^(?:node:|@?\w)/.test(id) && !isBuiltIn(id),
  },
  outputOptions: {
    preserveModulesRoot: fileURLToPath(new URL(".", import.meta.url)),
    // npm leaves every folder named node_modules out of a package.
    entryFileNames: ({ name }) => `${name.replace(/^node_modules\/.*node_modules\//, "built-in/")}.js`,
  },
});
