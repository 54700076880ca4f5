import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";

/**
 * Installs a Node version from npm in `dir`, which must exist and be empty. Returns the path of the
 * executable.
 */
export async function installNode(dir: string, version: string): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`;
  await writeFile(join(dir, "package.json"), JSON.stringify({ private: true }));
  const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", `${name}@${version}`];
  await promisify(execFile)("npm", install, { cwd: dir });
  return join(dir, "node_modules", name, "bin", "node");
}
