import { lstat, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { REFUSALS } from "@tierkeep/schema/domain/refusals";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import type { StorePaths } from "../../../app/embedded/store-files.ts";
import {
  isKeyExposed,
  linksInLog,
  linksInside,
  widePrivateFiles,
} from "../../../app/embedded/store-folders.ts";
import { isLogName } from "../../../audit/log-names.ts";
import { Layout } from "../../../tiers/open-tiers.ts";
import { counted } from "../../output/quantity.ts";
import { type Check, failed, passed } from "./doctor-checks.ts";

const REMEDY = REFUSALS.CONFLICT.exit;

/** Checks links, permissions and owners of the store's files. Changes nothing. */
export async function* fileChecks(
  paths: StorePaths,
  options: { readonly publishTree: boolean; readonly auditSigningKey: string | null },
): AsyncGenerator<Check> {
  const [link] = [...(await linksInside(paths, options)), ...(await linksInLog(paths.logs))];
  yield link === undefined
    ? passed("links", "No path of the store is a symbolic link.")
    : failed("links", link, REMEDY);
  const [wide, ...more] = await widePrivateFiles(paths.own);
  yield wide === undefined
    ? passed("permissions", "Only the store's user can read its private files.")
    : failed(
        "permissions",
        `Other users can read or write ${wide}${more.length > 0 ? ` and ${counted(more.length, "other file")}` : ""}. The next start removes these permissions, if the file system supports permissions.`,
        REMEDY,
      );
  if (options.auditSigningKey !== null) yield await signingKeyCheck(options.auditSigningKey);
  yield await ownerCheck(paths);
}

async function signingKeyCheck(path: string): Promise<Check> {
  const stats = await stat(path).catch(() => null);
  if (stats === null || !isKeyExposed(stats, process.geteuid?.()))
    return passed("signing key", `Only its user can read AUDIT_SIGNING_KEY ${path}.`);
  const mode = (stats.mode & 0o7777).toString(8).padStart(4, "0");
  return failed(
    "signing key",
    `Other users can read or write AUDIT_SIGNING_KEY ${path} (mode ${mode}) and could sign a forged audit log. Run: chmod 600 ${path}. If another user may have read it, create a new key and set AUDIT_SIGNING_KEY to it.`,
    REMEDY,
  );
}

async function ownerCheck(paths: StorePaths): Promise<Check> {
  const owner = await uidOf(paths.own);
  if (owner === null) return passed("owner", "There is no store yet.");
  let count = 0;
  let first: string | null = null;
  for await (const path of writablePaths(paths)) {
    const uid = await uidOf(path);
    if (uid === null || uid === owner) continue;
    count += 1;
    first ??= path;
  }
  if (first === null) return passed("owner", `All files belong to the store's user (id ${owner}).`);
  return failed(
    "owner",
    `${counted(count, "file")} ${count === 1 ? "belongs" : "belong"} to another user than the store (id ${owner}), for example ${first}. The server may be unable to write there. Run: chown -R ${owner} ${paths.root} ${paths.logs}`,
    REMEDY,
  );
}

/** Yields the paths that the server writes to again: folders of the store and private files, but no artifacts. */
async function* writablePaths({ root, own, logs }: StorePaths): AsyncGenerator<string> {
  const layout = new Layout(root);
  for (const { path } of await entriesOf(own)) yield path;
  for (const { path } of await entriesOf(layout.objects)) yield path;
  for (const tier of TIERS) {
    const directory = layout.tierDirectory(tier);
    yield directory;
    for (const tenant of await foldersOf(directory)) {
      yield tenant;
      for (const workflow of await foldersOf(tenant)) yield workflow;
    }
  }
  for (const { path, name } of await entriesOf(logs)) if (isLogName(name)) yield path;
}

async function foldersOf(folder: string): Promise<readonly string[]> {
  return (await entriesOf(folder)).filter(({ isFolder }) => isFolder).map(({ path }) => path);
}

async function entriesOf(folder: string) {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.map((entry) => ({
    name: entry.name,
    path: join(folder, entry.name),
    isFolder: entry.isDirectory(),
  }));
}

async function uidOf(path: string): Promise<number | null> {
  return lstat(path).then(
    ({ uid }) => uid,
    () => null,
  );
}
