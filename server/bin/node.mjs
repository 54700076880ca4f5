// Which Node runs Tierkeep. Plain JavaScript: an older Node must be able to load it.

import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

export const required = "^24.11 || >=26";

/** Whether the Node `version`, such as "26.10.0", can run Tierkeep. */
export function isNewEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  return major >= 26 || (major === 24 && minor >= 11);
}

const platform = `${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
const name = platform === "darwin-arm64" ? `node-bin-${platform}` : `node-${platform}`;
const binary = process.platform === "win32" ? "node.exe" : "node";

/**
 * Returns the path of the Node that is installed as an npm package, in a clone or beside Tierkeep; null: there is none for
 * this platform, or it is too old.
 */
export function installedNode() {
  const require = createRequire(import.meta.url);
  try {
    const manifest = require.resolve(`${name}/package.json`);
    return isNewEnough(require(manifest).version) ? join(dirname(manifest), "bin", binary) : null;
  } catch {
    return null;
  }
}

const here = dirname(fileURLToPath(import.meta.url));
const nodeModules = `${sep}node_modules${sep}`;
const end = here.lastIndexOf(nodeModules);

/**
 * Folder of Node's compile cache, in node_modules of the clone or of the project. With the cache, the server starts in
 * half the time and needs 50 MB less memory.
 */
export const compileCache = join(
  end === -1 ? join(here, "..", "..", "node_modules") : here.slice(0, end + nodeModules.length),
  ".cache",
  "tierkeep",
);
