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
  /** Maximum number of concurrent downloads. Default: 4. */
  readonly concurrency?: number | undefined;
  /** Number of retries of each download. Default: the client's. */
  readonly retries?: number | undefined;
  /**
   * Uses paths with a part that starts with a dot, such as `.git/hooks/post-checkout`. Programs on this
   * machine may execute such files. Default: false; the file of such an artifact is named by its id, as if it
   * had no path.
   */
  readonly dotFiles?: boolean | undefined;
  readonly onProgress?: ((progress: TreeProgress) => void) | undefined;
  /** Called, before anything is written, with every file whose path is not used, and with that path. */
  readonly onPathIgnored?: ((file: TreeFile, path: string) => void) | undefined;
  /** Called with every file when it is complete. */
  readonly onFile?: ((file: TreeFile) => void) | undefined;
  /** Aborts with an AbortError. Complete files remain; there are no incomplete files. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads every artifact of a workflow into a directory, and creates the directory if it does not exist. A file
 * is named by the path in the artifact's metadata, else by the artifact's id. A path outside the directory,
 * or of a dot file, is not used. Existing files of the same names are replaced; others are kept. The first
 * failure stops the transfer; complete files remain.
 *
 * @throws BadUserInputError, before anything is written, for artifacts with the same file name; also for a
 * link in the directory on the way to a file
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
    files.filter(({ path }) => !staysInside(path)).map(({ path }) => `${path} is outside the directory`),
  );
  refuse(
    "BAD_USER_INPUT",
    collisionsOf(files, ({ path }) => path),
  );
  for (const [file, path] of ignored) onPathIgnored?.(file, path);

  await makeAll(resolve(directory));
  const made = new Map<string, Promise<void>>([[".", Promise.resolve()]]);
  /** Creates folders from the top down. An existing one must be a folder and not a link. */
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

/**
 * Creates a directory and its parents. Does not use `recursive`, which never returns below /proc, where mkdir
 * fails with ENOENT.
 */
async function makeAll(path: string): Promise<void> {
  if ((await stat(path).catch(() => null))?.isDirectory()) return;
  if (dirname(path) !== path) await makeAll(dirname(path));
  // Another process may have created it.
  await mkdir(path).catch(async (error: unknown) => {
    if (!(await stat(path).catch(() => null))?.isDirectory()) throw error;
  });
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    // A link may lead out of the directory.
    if ((await lstat(path)).isDirectory()) return;
    throw new TierkeepError(
      "BAD_USER_INPUT",
      `${path} is a link or a file, but a folder is needed there. Remove it, or choose another directory.`,
    );
  }
}
