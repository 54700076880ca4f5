import { execFile } from "node:child_process";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { removeDirectory, temporaryDirectory } from "./server.ts";

const run = promisify(execFile);

/** Returns the folder of a package in this clone. */
export const packageFolder = (name: "sdk" | "server") =>
  fileURLToPath(new URL(`../../${name}`, import.meta.url));

const PACKERS = {
  npm: ["npm", "pack", "--silent"],
  pnpm: ["npx", "--prefer-offline", "--yes", "pnpm@10.34.9", "pack"],
} as const;

export type Packer = keyof typeof PACKERS;

/**
 * Packs a package of this clone into `folder`, which is created or must be empty. Returns the tarball's path.
 */
export async function pack(name: "sdk" | "server", packer: Packer, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const [file, ...args] = PACKERS[packer];
  await run(file, [...args, "--pack-destination", folder], { cwd: packageFolder(name) });
  const [tarball = ""] = await readdir(folder);
  return join(folder, tarball);
}

/** A project outside the clone, into which npm has installed the SDK from its tarball. */
export interface Consumer extends AsyncDisposable {
  readonly dir: string;
  readonly tarball: string;
}

export async function packSdk(): Promise<Consumer> {
  const dir = await temporaryDirectory();
  const tarball = await pack("sdk", "npm", join(dir, "packed"));
  await writeFile(join(dir, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", tarball], { cwd: dir });
  return {
    dir,
    tarball,
    [Symbol.asyncDispose]: () => removeDirectory(dir),
  };
}
