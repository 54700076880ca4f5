import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "tsdown";

const { dependencies } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"));
const ofWorkspace = Object.keys(dependencies).filter((name) => dependencies[name].startsWith("workspace:"));
/** Packages that are many times larger than what is used of them: GraphiQL's page is there twice, lru-cache has 3 MB of maps. */
const builtIn = [...ofWorkspace, "@graphql-yoga/render-graphiql", "lru-cache"];
const isBuiltIn = (id: string) => builtIn.some((name) => id === name || id.startsWith(`${name}/`));

/**
 * The package's JavaScript: for each source file a module in the same folder below dist/ as below src/, and beside them
 * the modules of the workspace's other packages. What all of them depend on is installed, not built in.
 */
export default defineConfig({
  // Scripts of threads are loaded by URL, so each is an entry. Those named dying-* are for tests.
  entry: ["src/cli/main.ts", "src/**/*-{thread,worker}.ts", "!src/**/dying-*.ts"],
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
    preserveModulesRoot: fileURLToPath(new URL("src", import.meta.url)),
    // npm leaves every folder named node_modules out of a package.
    entryFileNames: ({ name }) => `${name.replace(/^node_modules\/.*node_modules\//, "built-in/")}.js`,
  },
});
