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
 * Makes the store's directories and checks what would otherwise fail later: permissions, a read-only file system.
 * Private files that other users could read are closed to them.
 *
 * @param options `logs`: false leaves the audit log's folder alone
 *
 * @returns a problem for a process that writes to the store itself, and not for the client of a server that owns it:
 * links inside the store, another user's store. Null: there is none.
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
  // Root may write anywhere, and the store's first files decide who may open it later: none are made yet.
  if (ownBefore === null && rootBefore !== null && rootBefore.uid !== rootUid && process.geteuid?.() === 0)
    return foreignOwner(paths.root, rootBefore.uid);
  const uid = await makeWritable(paths.own, STORE_MODES.private, "STORAGE_BASE_PATH", paths.root);
  await narrowPrivateFiles(paths.own);
  if (options.logs ?? true) await makeWritable(paths.logs, LOG_MODES.directory, "LOG_DIR", paths.logs);
  return ownBefore === null || ownBefore.uid === uid ? null : foreignOwner(paths.root, ownBefore.uid);
}

function foreignOwner(root: string, uid: number): StartProblem {
  return new StartProblem(
    `The store ${root} belongs to the user with id ${uid}. Files that another user adds would keep that user's server from writing. Run the command as that user: sudo -u '#${uid}' tierkeep … To give the store to another user: chown -R USER ${root}`,
  );
}

/** Returns the id of the user to whom new files in `folder` belong. @throws StartProblem */
async function makeWritable(folder: string, mode: number, setting: string, shown: string): Promise<number> {
  try {
    await makeDirectories(folder, mode);
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    // Permissions are not all: a file system may be mounted read-only, or map users.
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
      `${setting} ${shown} is a symbolic link to ${await readlink(folder)}, which is not there. Make that folder, or name another one in ${setting}.`,
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
 * Links and other things in places where the store must have real directories and files of its own, each as a sentence
 * that says what to do. What is missing is no problem.
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
        ? `${path} is a symbolic link, and tierkeep follows none inside a store. Put the folder itself in its place${instead}.`
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
  // What stands in quarantine was moved there as it was, links included.
  for (const folder of folders.filter((each) => each !== layout.quarantine)) {
    for (const entry of await entriesOf(folder)) {
      const path = join(folder, entry.name);
      const isNamedAbove = layout.fixed.includes(path);
      if (entry.isSymbolicLink() && !isNamedAbove)
        problems.push(
          `${path} is a symbolic link, and tierkeep follows none inside a store. Put what it points to in its place.`,
        );
    }
  }
  return problems;
}

/** Links in the places of the audit log's files, each as a sentence that says what to do. */
export async function linksInLog(logs: string): Promise<readonly string[]> {
  const links = (await entriesOf(logs)).filter(
    (entry) => entry.isSymbolicLink() && (isLogName(entry.name) || SIGNED_NAMES.includes(entry.name)),
  );
  return links.map(
    ({ name }) =>
      `${join(logs, name)} is a symbolic link, and the audit log follows none. Put the file itself in its place, or link the folder LOG_DIR.`,
  );
}

/** Private files that other users may read or write, by their modes. */
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
 * True where other users than those who need it may use a private key's file. The group may read a key of root's, since a
 * program that is not root could not read it otherwise.
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
    // A file system without modes refuses; doctor reports what stays wide.
    await chmod(path, mode).catch(() => {});
  }
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch(() => []);
}

async function statsOf(path: string): Promise<Stats | null> {
  return lstat(path).catch(() => null);
}
