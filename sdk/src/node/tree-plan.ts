import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Tierkeep } from "../client.ts";
import { TierkeepError } from "../errors.ts";
import type { ArtifactFragment } from "../generated/types.ts";
import { checksumOf } from "./checksum-of.ts";
import { artifactIdOf, collisionsOf, flatIdOf, refuse, type Tree, type TreeFile } from "./tree.ts";

export interface TreePlanOptions {
  /** Metadata of every file, in addition to its `path`. */
  readonly metadata?: { readonly [key: string]: unknown } | undefined;
  /** Writes every file, even if its artifact already has the same content and metadata. Default: false. */
  readonly rewrite?: boolean | undefined;
  /** Skips links and files that cannot be artifacts, instead of rejecting the directory. Default: false. */
  readonly skipInvalid?: boolean | undefined;
  /** Aborts with an AbortError. */
  readonly signal?: AbortSignal | undefined;
}

/** What an upload of a directory would do. Each list is sorted by path. */
export interface TreePlan {
  /** Files to write. `replaces`: an artifact with this key exists. */
  readonly writes: readonly (TreeFile & { readonly replaces: boolean })[];
  /**
   * Files whose artifact already has the same content and metadata. They are not written, and their age is
   * not reset.
   */
  readonly unchanged: readonly TreeFile[];
  /** With `skipInvalid`: paths that cannot be artifacts, and the reason. */
  readonly skipped: readonly SkippedFile[];
}

export interface SkippedFile {
  readonly path: string;
  readonly reason: string;
}

/** Maximum number of keys in one query. */
const MOST_KEYS = 500;

/**
 * Returns what `uploadTree` would do with a directory, and changes nothing.
 *
 * @throws the errors that uploadTree throws before it writes anything
 */
export async function planTree(
  tierkeep: Tierkeep,
  tree: Tree,
  directory: string,
  options: TreePlanOptions = {},
): Promise<TreePlan> {
  const { metadata, rewrite = false, skipInvalid = false, signal } = options;
  const { files, others } = await filesBelow(directory);
  if (!skipInvalid) refuse("BAD_USER_INPUT", others.map(problemOf));
  refuse(
    "BAD_USER_INPUT",
    collisionsOf(files, ({ artifactId }) => artifactId),
  );
  const found = await artifactsOf(tierkeep, tree, files, signal);
  const { invalid } = found;
  if (!skipInvalid) refuse("INVALID_IDENTIFIER", invalid.map(problemOf));

  const plan = {
    writes: [] as (TreeFile & { replaces: boolean })[],
    unchanged: [] as TreeFile[],
    skipped: [...others, ...invalid].sort(byPath),
  };
  const left = new Set(invalid.map(({ path }) => path));
  const valid = files.filter(({ path }) => !left.has(path));
  const { named, present } = await withEarlierIds(tierkeep, tree, valid, found.present, signal);
  for (const file of named) {
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

/**
 * Returns the regular files below a directory, sorted by path. Links are not followed: the user may not
 * intend to upload their targets.
 */
async function filesBelow(directory: string): Promise<{ files: TreeFile[]; others: SkippedFile[] }> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files: TreeFile[] = [];
  const others: SkippedFile[] = [];
  for (const entry of entries) {
    const full = join(entry.parentPath, entry.name);
    const path = relative(directory, full).replaceAll(sep, "/");
    if (entry.isFile()) {
      files.push({ path, artifactId: artifactIdOf(path), sizeBytes: (await stat(full)).size });
    } else if (!entry.isDirectory()) others.push({ path, reason: "it is a link, or not a regular file" });
  }
  return { files: files.sort(byPath), others: others.sort(byPath) };
}

/**
 * Earlier versions wrote the file `a/b` as the artifact `a__b`. Where there is such an artifact and none with the path as
 * its id, the file keeps that id, so that it is not stored twice.
 */
async function withEarlierIds(
  tierkeep: Tierkeep,
  tree: Tree,
  files: readonly TreeFile[],
  present: ReadonlyMap<string, ArtifactFragment>,
  signal: AbortSignal | undefined,
): Promise<{ readonly named: readonly TreeFile[]; readonly present: ReadonlyMap<string, ArtifactFragment> }> {
  const absent = files.filter(({ artifactId }) => artifactId.includes("/") && !present.has(artifactId));
  const flat = absent.map((file) => ({ ...file, artifactId: flatIdOf(file.path) }));
  const earlier = (await artifactsOf(tierkeep, tree, flat, signal)).present;
  const kept = new Map(
    flat
      .filter(({ artifactId, path }) => pathIn(earlier.get(artifactId)?.metadata) === path)
      .map((file) => [file.path, file]),
  );
  return {
    named: files.map((file) => kept.get(file.path) ?? file),
    present: new Map([...present, ...earlier]),
  };
}

function pathIn(metadata: unknown): unknown {
  return typeof metadata === "object" && metadata !== null && "path" in metadata ? metadata.path : undefined;
}

/** Reads the artifacts that the files would replace. The server checks the names. */
async function artifactsOf(
  tierkeep: Tierkeep,
  { tenantId, workflowId }: Tree,
  files: readonly TreeFile[],
  signal: AbortSignal | undefined,
): Promise<{ present: Map<string, ArtifactFragment>; invalid: SkippedFile[] }> {
  const present = new Map<string, ArtifactFragment>();
  const invalid: SkippedFile[] = [];
  let remaining = files;
  let size = MOST_KEYS;
  while (remaining.length > 0) {
    const some = remaining.slice(0, size);
    try {
      const keys = some.map(({ artifactId }) => ({ tenantId, workflowId, artifactId }));
      for (const artifact of await tierkeep.artifactsByKey({ keys }, { signal })) {
        if (artifact !== null) present.set(artifact.artifactId, artifact);
      }
      remaining = remaining.slice(some.length);
    } catch (error) {
      if (!(error instanceof TierkeepError)) throw error;
      const index = /^keys\.(\d+)\.artifactId$/.exec(error.argument ?? "")?.[1];
      const refused = index === undefined ? undefined : some[Number(index)];
      if (refused !== undefined) {
        invalid.push({
          path: refused.path,
          reason: error.message.replace(/^keys\.\d+\.artifactId (?=")/, "the name "),
        });
        remaining = remaining.filter((file) => file !== refused);
      } else if (error.code === "QUERY_TOO_COMPLEX" && some.length > 1) size = Math.ceil(some.length / 2);
      else throw error;
    }
  }
  return { present, invalid };
}

function problemOf({ path, reason }: SkippedFile): string {
  return `${path}: ${reason}`;
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : 1;
}
