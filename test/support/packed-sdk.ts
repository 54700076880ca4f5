import { execFile } from "node:child_process";
import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { removeDirectory, temporaryDirectory } from "./server.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

/** A project of somebody else's, empty but for the SDK, which npm has installed there from its tarball. */
export interface Consumer extends AsyncDisposable {
  readonly dir: string;
  readonly tarball: string;
}

export async function packSdk(): Promise<Consumer> {
  const dir = await temporaryDirectory();
  const tarball = await pack(join(dir, "packed"));
  await writeFile(join(dir, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", tarball], { cwd: dir });
  return {
    dir,
    tarball,
    [Symbol.asyncDispose]: () => removeDirectory(dir),
  };
}

/** Packs a copy: what is built there stays there, and several may do so at the same time. */
async function pack(folder: string): Promise<string> {
  const sdk = join(folder, "sdk");
  const built = ["node_modules", "dist"];
  await cp(join(ROOT, "sdk"), sdk, {
    recursive: true,
    filter: (path) => !built.includes(basename(path)),
  });
  const around = [
    "package.json",
    "pnpm-workspace.yaml",
    "tsconfig.base.json",
    "LICENSE",
    "schema",
    "node_modules",
  ];
  for (const path of [...around, "sdk/node_modules"]) await symlink(join(ROOT, path), join(folder, path));
  await mkdir(join(folder, "out"));
  const pnpm = [
    "--prefer-offline",
    "--yes",
    "pnpm@10.34.9",
    "pack",
    "--pack-destination",
    join(folder, "out"),
  ];
  await run("npx", pnpm, { cwd: sdk });
  return join(folder, "out", "tierkeep-sdk-0.1.0.tgz");
}
