// Makes a package's package.json the one that is published, while npm or pnpm packs it. In the clone its exports name
// the sources, and packages of the workspace depend on each other; npm, unlike pnpm, would pack that as it stands.
//
//   node pack.mjs prepare    in the package's folder, as its `prepack`, after the build
//   node pack.mjs restore    as its `postpack`
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const FILE = "package.json";
/** The clone's own package.json meanwhile. Left over where a pack was killed: then the next one takes it from here. */
const ORIGINAL = join("node_modules", ".tierkeep-package.json");

/** npm packs a licence only from the package's own folder. */
const LICENSE = "LICENSE";

const read = (path) => JSON.parse(readFileSync(path, "utf8"));

if (process.argv[2] === "prepare") {
  if (!existsSync(ORIGINAL)) copyFileSync(FILE, ORIGINAL);
  copyFileSync(new URL(LICENSE, import.meta.url), LICENSE);
  writeFileSync(FILE, `${JSON.stringify(published(read(ORIGINAL)), null, 2)}\n`);
} else if (process.argv[2] === "restore") {
  rmSync(LICENSE, { force: true });
  if (existsSync(ORIGINAL)) renameSync(ORIGINAL, FILE);
} else {
  console.error("usage: node pack.mjs prepare|restore");
  process.exitCode = 2;
}

/** The manifest that others install: with `publishConfig` applied, and nothing in it that only works in the clone. */
function published({ publishConfig = {}, scripts, devDependencies, dependencies, ...manifest }) {
  const installed = withoutWorkspace(dependencies ?? {});
  return {
    ...manifest,
    ...publishConfig,
    ...(Object.keys(installed).length > 0 && { dependencies: installed }),
  };
}

/** The packages of the workspace are built in, so what they depend on takes their place. */
function withoutWorkspace(dependencies) {
  const installed = {};
  for (const [name, version] of Object.entries(dependencies)) {
    if (version.startsWith("workspace:")) {
      Object.assign(installed, withoutWorkspace(read(join("node_modules", name, FILE)).dependencies ?? {}));
    } else installed[name] = version;
  }
  return Object.fromEntries(Object.entries(installed).sort(([a], [b]) => (a < b ? -1 : 1)));
}
