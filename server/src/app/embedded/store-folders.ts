import { randomBytes } from "node:crypto";
import { constants, type Dirent, type Stats } from "node:fs";
import { access, chmod, lstat, open, readdir, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { TIERS } from "@tierkeep/schema/domain/tiers";
import { LOG_MODES } from "../../audit/log-file.ts";
import { CHECKPOINTS_FILE, isLogName, PUBLIC_KEY_FILE } from "../../audit/log-names.ts";
import { makeDirectories } from "../../files/make-directories.ts";
import { Layout, STORE_MODES } from "../../tiers/open-tiers.ts";
import { StartProblem } from "../start-problem.ts";
import { type StorePaths, systemCodeOf } from "./store-files.ts";

const SIGNED_NAMES: readonly string[] = [CHECKPOINTS_FILE, PUBLIC_KEY_FILE];
const GROUP_AND_OTHERS = 0o077;
const GROUP_READS = 0o040;

/**
 * Creates the store's directories and checks that they can be written. Removes permissions of other users from private
 * files.
 *
 * @param options `logs`: false ignores the audit log's folder
 *
 * @returns a problem that prevents this process from writing to the store, but not from being a client of its server:
 * links inside the store, or another user's store. Null: no problem.
 * @throws StartProblem
 */
export async function prepareFolders(
  paths: StorePaths,
  options: { readonly publishTree: boolean; readonly logs?: boolean },
): Promise<StartProblem | null> {
  const rootBefore = await statsOf(paths.root);
  const ownBefore = await statsOf(paths.own);
  const [link] = [...(await linksInside(paths, options)), ...(await linksInLog(paths.logs))];
  if (link !== undefined) return new StartProblem(link);
  const rootUid = await makeWritable(paths.root, STORE_MODES.root, "STORAGE_BASE_PATH", paths.root);
  // Root can write anywhere, but files that root creates would block the folder's owner later.
  if (ownBefore === null && rootBefore !== null && rootBefore.uid !== rootUid && process.geteuid?.() === 0)
    return foreignOwner(paths.root, rootBefore.uid);
  const uid = await makeWritable(paths.own, STORE_MODES.private, "STORAGE_BASE_PATH", paths.root);
  await narrowPrivateFiles(paths.own);
  if (options.logs ?? true) await makeWritable(paths.logs, LOG_MODES.directory, "LOG_DIR", paths.logs);
  return ownBefore === null || ownBefore.uid === uid ? null : foreignOwner(paths.root, ownBefore.uid);
}

function foreignOwner(root: string, uid: number): StartProblem {
  return new StartProblem(
    `The store ${root} belongs to the user with id ${uid}. Files of another user would prevent that user's server from writing. Run the command as that user: sudo -u '#${uid}' tierkeep … To give the store to another user: chown -R USER ${root}`,
  );
}

/** Creates `folder` and checks that it can be written. Returns the user id of new files in it. @throws StartProblem */
async function makeWritable(folder: string, mode: number, setting: string, shown: string): Promise<number> {
  try {
    await makeDirectories(folder, mode);
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    // Permissions are not enough: the file system may be read-only, or map users.
    const probe = join(folder, `.probe-${randomBytes(8).toString("hex")}`);
    const file = await open(probe, "wx", 0o600);
    try {
      return (await file.stat()).uid;
    } finally {
      await file.close();
      await rm(probe);
    }
  } catch (error) {
    throw await writeProblem(error, folder, setting, shown);
  }
}

async function writeProblem(error: unknown, folder: string, setting: string, shown: string) {
  const code = systemCodeOf(error);
  const stats = await statsOf(folder);
  if (stats?.isSymbolicLink() && code === "EEXIST") {
    return new StartProblem(
      `${setting} ${shown} is a symbolic link to ${await readlink(folder)}, which does not exist. Create that folder, or name another one in ${setting}.`,
    );
  }
  const owner =
    stats !== null && stats.uid !== process.geteuid?.()
      ? ` It belongs to the user with id ${stats.uid}.`
      : "";
  return new StartProblem(
    `${setting} ${shown} cannot be written (${code}).${owner} Give this user the right to, or name another folder in ${setting}.`,
  );
}

/**
 * Returns a sentence with a remedy for each path of the store that is a symbolic link, or not a directory where the store
 * needs one. Missing paths are no problem.
 */
export async function linksInside(
  { root, own }: Pick<StorePaths, "root" | "own">,
  { publishTree }: { readonly publishTree: boolean },
): Promise<readonly string[]> {
  const layout = new Layout(root);
  const problems: string[] = [];
  const requireFolder = async (path: string, instead = "") => {
    const stats = await statsOf(path);
    if (stats === null || stats.isDirectory()) return stats !== null;
    problems.push(
      stats.isSymbolicLink()
        ? `${path} is a symbolic link, which tierkeep does not follow inside a store. Replace it with the folder itself${instead}.`
        : `${path} is not a folder. Put a folder in its place${instead}.`,
    );
    return false;
  };
  if (publishTree) {
    for (const tier of TIERS)
      await requireFolder(layout.tierDirectory(tier), ", or set PUBLISH_TREE=false to go without the tree");
  }
  if (!(await requireFolder(own))) return problems;
  const folders = [own];
  for (const path of [layout.objects, layout.quarantine, layout.temporary]) {
    if (await requireFolder(path)) folders.push(path);
  }
  // Quarantine may contain symbolic links: files are moved there unchanged.
  for (const folder of folders.filter((each) => each !== layout.quarantine)) {
    for (const entry of await entriesOf(folder)) {
      const path = join(folder, entry.name);
      const isNamedAbove = layout.fixed.includes(path);
      if (entry.isSymbolicLink() && !isNamedAbove)
        problems.push(
          `${path} is a symbolic link, which tierkeep does not follow inside a store. Replace it with its target.`,
        );
    }
  }
  return problems;
}

/** Returns a sentence with a remedy for each file of the audit log that is a symbolic link. */
export async function linksInLog(logs: string): Promise<readonly string[]> {
  const links = (await entriesOf(logs)).filter(
    (entry) => entry.isSymbolicLink() && (isLogName(entry.name) || SIGNED_NAMES.includes(entry.name)),
  );
  return links.map(
    ({ name }) =>
      `${join(logs, name)} is a symbolic link, which the audit log does not follow. Replace it with its target. Only the folder LOG_DIR itself may be a symbolic link.`,
  );
}

/** Returns the private files that other users may read or write, by their modes. */
export async function widePrivateFiles(own: string): Promise<readonly string[]> {
  const layout = new Layout(join(own, ".."));
  const wide: string[] = [];
  const look = async (path: string) => {
    const stats = await statsOf(path);
    if (stats !== null && !stats.isSymbolicLink() && (stats.mode & GROUP_AND_OTHERS) !== 0) wide.push(path);
  };
  await look(own);
  for (const path of [layout.objects, layout.quarantine, layout.temporary]) await look(path);
  for (const entry of await entriesOf(own)) if (entry.isFile()) await look(join(own, entry.name));
  return wide;
}

/**
 * Returns whether users who do not need it can read or write a private key's file. The group may read a key
 * that belongs to root, because a program of another user could not read it otherwise.
 *
 * @param user the effective user id of this process
 */
export function isKeyExposed({ mode, uid }: Pick<Stats, "mode" | "uid">, user: number | undefined): boolean {
  const allowed = uid === 0 && user !== 0 ? GROUP_READS : 0;
  return (mode & GROUP_AND_OTHERS & ~allowed) !== 0;
}

async function narrowPrivateFiles(own: string): Promise<void> {
  for (const path of await widePrivateFiles(own)) {
    const mode = (await lstat(path)).isDirectory() ? STORE_MODES.private : 0o600;
    // Fails on a file system without modes. doctor reports the files that stay open to others.
    await chmod(path, mode).catch(() => {});
  }
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch(() => []);
}

async function statsOf(path: string): Promise<Stats | null> {
  return lstat(path).catch(() => null);
}
