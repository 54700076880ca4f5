// Replaces a package's package.json by the published one while npm or pnpm packs it. In the clone, its exports name the
// sources, and packages of the workspace depend on each other. Unlike pnpm, npm would pack that unchanged.
//
//   node pack.mjs prepare    in the package's folder, as its `prepack`, after the build
//   node pack.mjs restore    as its `postpack`
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const FILE = "package.json";
/** The clone's own package.json during a pack. After a killed pack it is still here, and the next one uses it. */
const ORIGINAL = join("node_modules", ".tierkeep-package.json");

/** npm packs a license only from the package's own folder. */
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

/** Returns the published manifest: with `publishConfig` applied, and without what works only in the clone. */
function published({ publishConfig = {}, scripts, devDependencies, dependencies, ...manifest }) {
  const installed = withoutWorkspace(dependencies ?? {});
  return {
    ...manifest,
    ...publishConfig,
    ...(Object.keys(installed).length > 0 && { dependencies: installed }),
  };
}

/** Replaces packages of the workspace, which are bundled, by their dependencies. */
function withoutWorkspace(dependencies) {
  const installed = {};
  for (const [name, version] of Object.entries(dependencies)) {
    if (version.startsWith("workspace:")) {
      Object.assign(installed, withoutWorkspace(read(join("node_modules", name, FILE)).dependencies ?? {}));
    } else installed[name] = version;
  }
  return Object.fromEntries(Object.entries(installed).sort(([a], [b]) => (a < b ? -1 : 1)));
}
