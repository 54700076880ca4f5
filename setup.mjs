// Installs the workspace with its pinned Node on a machine that has only Node 20 and npm.
// Every script runs it first. If nothing has changed since the last install, it only reads a few small files.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import process from "node:process";
import { installedNode, isNewEnough, required } from "./server/bin/node.mjs";

const pnpm = "pnpm@10.34.9";
const inputs = [
  "setup.mjs",
  "pnpm-lock.yaml",
  "pnpm-workspace.yaml",
  "package.json",
  ...["schema", "server", "sdk", "test"].map((name) => `${name}/package.json`),
];

const at = (path) => new URL(path, import.meta.url);
const stamp = at("node_modules/.tierkeep-setup");

// A killed pack.mjs leaves the published package.json, which does not match the lockfile.
for (const name of ["server", "sdk"]) {
  const original = at(`${name}/node_modules/.tierkeep-package.json`);
  if (existsSync(original)) renameSync(original, at(`${name}/package.json`));
}

const hash = createHash("sha256").update(`${process.platform} ${process.arch}`);
for (const path of inputs) hash.update(`\0${path}\0`).update(readFileSync(at(path)));
const wanted = hash.digest("hex");

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  // The first --prefer-offline is for npx: without it, a start without a network waits a minute for the registry.
  const args = [
    ...["--prefer-offline", "--yes", pnpm, "install"],
    ...["--frozen-lockfile", "--prefer-offline", "--config.confirmModulesPurge=false"],
  ];
  // All output goes to stderr: stdout belongs to the command that follows.
  const { status } = spawnSync("npx", args, {
    cwd: at("."),
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (status !== 0) {
    console.error(
      "\nsetup: the installation failed, see above. A first installation needs the npm registry.",
    );
    console.error(`setup: after a change of dependencies run: npx ${pnpm} install`);
    process.exit(1);
  }
  // The pinned Node is an optional dependency, so pnpm ignores a failed download. The next run then tries again.
  if (installedNode() !== null) writeFileSync(stamp, wanted);
  else if (!isNewEnough(process.versions.node)) {
    console.error(`\nsetup: no Node could be installed for ${process.platform} ${process.arch}.`);
    console.error(`setup: install Node ${required} yourself; this is ${process.version}.`);
    process.exit(1);
  }
}
