import { lstat, mkdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Tierkeep } from "../client.ts";
import { TierkeepError } from "../errors.ts";
import { downloadFile } from "./download-file.ts";
import {
  collisionsOf,
  hasDotPart,
  refuse,
  staysInside,
  type Tree,
  type TreeFile,
  type TreeProgress,
  type TreeResult,
  transferEach,
} from "./tree.ts";

export interface DownloadTreeOptions {
  /** How many files are under way at a time. Default 4. */
  readonly concurrency?: number | undefined;
  /** How often the download of each file may be repeated. Default: the client's. */
  readonly retries?: number | undefined;
  /**
   * Follows paths with a part that begins with a dot, such as `.git/hooks/post-checkout`, which programs on this machine
   * may act on. Default false: such an artifact is read into a file of its id, as if it had no path.
   */
  readonly dotFiles?: boolean | undefined;
  readonly onProgress?: ((progress: TreeProgress) => void) | undefined;
  /** Told, before anything is written, of every file whose path is not followed, and of that path. */
  readonly onPathIgnored?: ((file: TreeFile, path: string) => void) | undefined;
  /** Told of every file as it stands in its place. */
  readonly onFile?: ((file: TreeFile) => void) | undefined;
  /** Ends it with an AbortError. The files that are in place stay; there are no halves. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads every artifact of a workflow into a directory, which is made where it is not there: by the path in its metadata,
 * else by its id. A path that leads out of the directory, or to a dot file, counts as none. Files that are in the way are replaced, others
 * stay. A failure ends it, with what has been read until then in place.
 *
 * @throws BadUserInputError, before anything is written, for artifacts that would be one file; and for a link in the
 * directory that would be followed
 */
export async function downloadTree(
  tierkeep: Tierkeep,
  { tenantId, workflowId }: Tree,
  directory: string,
  options: DownloadTreeOptions = {},
): Promise<TreeResult> {
  const { onFile, onPathIgnored, dotFiles = false, retries, signal } = options;
  const files: TreeFile[] = [];
  const ignored: [TreeFile, string][] = [];
  for await (const artifact of tierkeep.artifacts({ where: { tenantId, workflowId } }, { signal })) {
    const { artifactId, sizeBytes, metadata } = artifact;
    const named = typeof metadata.path === "string" ? metadata.path : null;
    const follows = named !== null && staysInside(named) && (dotFiles || !hasDotPart(named));
    const file = { path: follows ? named : artifactId, artifactId, sizeBytes };
    if (named !== null && !follows) ignored.push([file, named]);
    files.push(file);
  }
  refuse(
    "INVALID_IDENTIFIER",
    files.filter(({ path }) => !staysInside(path)).map(({ path }) => `${path} leads out of the directory`),
  );
  refuse(
    "BAD_USER_INPUT",
    collisionsOf(files, ({ path }) => path),
  );
  for (const [file, path] of ignored) onPathIgnored?.(file, path);

  await makeAll(resolve(directory));
  const made = new Map<string, Promise<void>>([[".", Promise.resolve()]]);
  /** One folder at a time from the top, each made or found to be a folder and no link. */
  const folder = (path: string): Promise<void> => {
    const known = made.get(path) ?? folder(dirname(path)).then(() => makeFolder(join(directory, path)));
    made.set(path, known);
    return known;
  };
  return await transferEach(files, options, async (file, ends, moved) => {
    await folder(dirname(file.path));
    await downloadFile(
      tierkeep,
      { tenantId, workflowId, artifactId: file.artifactId },
      join(directory, file.path),
      { signal: ends, retries, onProgress: ({ receivedBytes }) => moved(receivedBytes) },
    );
    onFile?.(file);
  });
}

/** Makes a directory and those above it. Not by `recursive`: that never returns below /proc, which refuses with ENOENT. */
async function makeAll(path: string): Promise<void> {
  if ((await stat(path).catch(() => null))?.isDirectory()) return;
  if (dirname(path) !== path) await makeAll(dirname(path));
  // Another process may have made it by now.
  await mkdir(path).catch(async (error: unknown) => {
    if (!(await stat(path).catch(() => null))?.isDirectory()) throw error;
  });
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    // What a link leads to may be anywhere.
    if ((await lstat(path)).isDirectory()) return;
    throw new TierkeepError(
      "BAD_USER_INPUT",
      `${path} is in the way: it is a link or a file, and a folder is needed there.`,
    );
  }
}
