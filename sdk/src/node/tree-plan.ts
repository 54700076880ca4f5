import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Tierkeep } from "../client.ts";
import { TierkeepError } from "../errors.ts";
import type { ArtifactFragment } from "../generated/types.ts";
import { checksumOf } from "./checksum-of.ts";
import { artifactIdOf, collisionsOf, refuse, type Tree, type TreeFile } from "./tree.ts";

export interface TreePlanOptions {
  /** Of every file, besides its `path`. */
  readonly metadata?: { readonly [key: string]: unknown } | undefined;
  /** Plans to write every file, also one whose artifact has its content and metadata already. Default false. */
  readonly rewrite?: boolean | undefined;
  /** Leaves out links and files that no artifact can be, in place of refusing the directory. Default false. */
  readonly skipInvalid?: boolean | undefined;
  /** Ends it with an AbortError. */
  readonly signal?: AbortSignal | undefined;
}

/** What uploading a directory would do. Each list is in the order of the paths. */
export interface TreePlan {
  /** `replaces`: there is an artifact of this key already. */
  readonly writes: readonly (TreeFile & { readonly replaces: boolean })[];
  /** Files whose artifact has the same content and metadata. They are not written, and their age goes on. */
  readonly unchanged: readonly TreeFile[];
  /** With `skipInvalid`: what cannot be an artifact, and why. */
  readonly skipped: readonly SkippedFile[];
}

export interface SkippedFile {
  readonly path: string;
  readonly reason: string;
}

/** The most keys that one query takes. */
const MOST_KEYS = 500;

/**
 * Returns what `uploadTree` would do with a directory, and changes nothing.
 *
 * @throws as uploadTree, before it writes anything
 */
export async function planTree(
  tierkeep: Tierkeep,
  tree: Tree,
  directory: string,
  options: TreePlanOptions = {},
): Promise<TreePlan> {
  const { metadata, rewrite = false, skipInvalid = false, signal } = options;
  const { files, others } = await filesBelow(directory);
  if (!skipInvalid) refuse("BAD_USER_INPUT", others.map(told));
  refuse(
    "BAD_USER_INPUT",
    collisionsOf(files, ({ artifactId }) => artifactId),
  );
  const { present, invalid } = await artifactsOf(tierkeep, tree, files, signal);
  if (!skipInvalid) refuse("INVALID_IDENTIFIER", invalid.map(told));

  const plan = {
    writes: [] as (TreeFile & { replaces: boolean })[],
    unchanged: [] as TreeFile[],
    skipped: [...others, ...invalid].sort(byPath),
  };
  const left = new Set(invalid.map(({ path }) => path));
  for (const file of files) {
    if (left.has(file.path)) continue;
    signal?.throwIfAborted();
    const artifact = present.get(file.artifactId);
    const wanted = { ...metadata, path: file.path };
    const isSame =
      !rewrite &&
      artifact !== undefined &&
      artifact.sizeBytes === file.sizeBytes &&
      isDeepStrictEqual(artifact.metadata, wanted) &&
      artifact.checksum === (await checksumOf(join(directory, file.path)));
    if (isSame) plan.unchanged.push(file);
    else plan.writes.push({ ...file, replaces: artifact !== undefined });
  }
  return plan;
}

/** The regular files below a directory, by path. Links are not followed: what they lead to may not be meant. */
async function filesBelow(directory: string): Promise<{ files: TreeFile[]; others: SkippedFile[] }> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files: TreeFile[] = [];
  const others: SkippedFile[] = [];
  for (const entry of entries) {
    const full = join(entry.parentPath, entry.name);
    const path = relative(directory, full).replaceAll(sep, "/");
    if (entry.isFile()) {
      files.push({ path, artifactId: artifactIdOf(path), sizeBytes: (await stat(full)).size });
    } else if (!entry.isDirectory()) others.push({ path, reason: "it is a link or no regular file" });
  }
  return { files: files.sort(byPath), others: others.sort(byPath) };
}

/** Asks the server, which has the rule for names, for the artifacts that the files would replace. */
async function artifactsOf(
  tierkeep: Tierkeep,
  { tenantId, workflowId }: Tree,
  files: readonly TreeFile[],
  signal: AbortSignal | undefined,
): Promise<{ present: Map<string, ArtifactFragment>; invalid: SkippedFile[] }> {
  const present = new Map<string, ArtifactFragment>();
  const invalid: SkippedFile[] = [];
  let unasked = files;
  let size = MOST_KEYS;
  while (unasked.length > 0) {
    const some = unasked.slice(0, size);
    try {
      const keys = some.map(({ artifactId }) => ({ tenantId, workflowId, artifactId }));
      for (const artifact of await tierkeep.artifactsByKey({ keys }, { signal })) {
        if (artifact !== null) present.set(artifact.artifactId, artifact);
      }
      unasked = unasked.slice(some.length);
    } catch (error) {
      if (!(error instanceof TierkeepError)) throw error;
      const index = /^keys\.(\d+)\.artifactId$/.exec(error.argument ?? "")?.[1];
      const refused = index === undefined ? undefined : some[Number(index)];
      if (refused !== undefined) {
        invalid.push({
          path: refused.path,
          reason: error.message.replace(/^keys\.\d+\.artifactId (?=")/, "the name "),
        });
        unasked = unasked.filter((file) => file !== refused);
      } else if (error.code === "QUERY_TOO_COMPLEX" && some.length > 1) size = Math.ceil(some.length / 2);
      else throw error;
    }
  }
  return { present, invalid };
}

function told({ path, reason }: SkippedFile): string {
  return `${path}: ${reason}`;
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : 1;
}
