import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { Tierkeep } from "../client.ts";
import { TierkeepError } from "../errors.ts";
import type { Tier } from "../generated/enums.ts";
import type { Uploaded } from "../upload.ts";
import {
  artifactIdOf,
  collisionsOf,
  refuse,
  type Tree,
  type TreeFile,
  type TreeProgress,
  type TreeResult,
  transferEach,
} from "./tree.ts";
import { uploadFile } from "./upload-file.ts";

export interface UploadTreeOptions {
  /** Default HOT. */
  readonly tier?: Tier | undefined;
  /** Of every file, besides its `path`. */
  readonly metadata?: { readonly [key: string]: unknown } | undefined;
  /** PreconditionFailedError at the first file whose artifact exists. */
  readonly ifAbsent?: boolean | undefined;
  /** How many files are under way at a time. Default 4. */
  readonly concurrency?: number | undefined;
  readonly onProgress?: ((progress: TreeProgress) => void) | undefined;
  /** Told of every file as it has been written. */
  readonly onFile?: ((file: TreeFile & Uploaded) => void) | undefined;
  /** Ends it with an AbortError. The files that have been written stay. */
  readonly signal?: AbortSignal | undefined;
}

/** The most keys that one query takes. */
const MOST_KEYS = 500;

/**
 * Writes every file below a directory as an artifact of one workflow: `a/b.txt` as `a__b.txt`, with its path in its
 * metadata. Empty folders are left out. A failure ends it, with what has been written until then in place; doing it again
 * writes all of it again.
 *
 * @throws BadUserInputError, before anything is written, for files that would be one artifact, and for links and other
 * things that are no files; InvalidIdentifierError for names that no artifact may have
 */
export async function uploadTree(
  tierkeep: Tierkeep,
  tree: Tree,
  directory: string,
  options: UploadTreeOptions = {},
): Promise<TreeResult> {
  const { tenantId, workflowId } = tree;
  const { tier, metadata, ifAbsent, onFile, signal } = options;
  const files = await filesBelow(directory);
  refuse(
    "BAD_USER_INPUT",
    collisionsOf(files, ({ artifactId }) => artifactId),
  );
  refuse("INVALID_IDENTIFIER", await refusedNames(tierkeep, tree, files, signal));
  return await transferEach(files, options, async (file, ends, moved) => {
    const uploaded = await uploadFile(
      tierkeep,
      { tenantId, workflowId, artifactId: file.artifactId },
      join(directory, file.path),
      {
        tier,
        metadata: { ...metadata, path: file.path },
        ifAbsent,
        signal: ends,
        onProgress: ({ sentBytes }) => moved(sentBytes),
      },
    );
    onFile?.({ ...file, ...uploaded });
  });
}

/** By path. Links are not followed: one that leads out of the directory would publish what was not meant. */
async function filesBelow(directory: string): Promise<TreeFile[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files: TreeFile[] = [];
  const problems: string[] = [];
  for (const entry of entries) {
    const full = join(entry.parentPath, entry.name);
    const path = relative(directory, full).replaceAll(sep, "/");
    if (entry.isFile()) {
      files.push({ path, artifactId: artifactIdOf(path), sizeBytes: (await stat(full)).size });
    } else if (!entry.isDirectory()) problems.push(`${path} is a link or no regular file`);
  }
  refuse("BAD_USER_INPUT", problems.sort());
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Asked of the server, which has the rule, by asking for the artifacts of these names. */
async function refusedNames(
  tierkeep: Tierkeep,
  { tenantId, workflowId }: Tree,
  files: readonly TreeFile[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const problems: string[] = [];
  let unasked = [...files];
  while (unasked.length > 0) {
    const some = unasked.slice(0, MOST_KEYS);
    try {
      const keys = some.map(({ artifactId }) => ({ tenantId, workflowId, artifactId }));
      await tierkeep.artifactsByKey({ keys }, { signal });
      unasked = unasked.slice(MOST_KEYS);
    } catch (error) {
      const index =
        error instanceof TierkeepError && /^keys\.(\d+)\.artifactId$/.exec(error.argument ?? "")?.[1];
      const refused = index ? some[Number(index)] : undefined;
      if (refused === undefined || !(error instanceof Error)) throw error;
      problems.push(`${refused.path}: ${error.message}`);
      unasked = unasked.filter((file) => file !== refused);
    }
  }
  return problems;
}
