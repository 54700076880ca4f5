import { join } from "node:path";
import type { Tierkeep } from "../client.ts";
import type { Tier } from "../generated/enums.ts";
import type { Uploaded } from "../upload.ts";
import { type Tree, type TreeFile, type TreeProgress, type TreeResult, transferEach } from "./tree.ts";
import { planTree, type SkippedFile, type TreePlanOptions } from "./tree-plan.ts";
import { uploadFile } from "./upload-file.ts";

export interface UploadTreeOptions extends TreePlanOptions {
  /** The tier of the files that are written. Default HOT. */
  readonly tier?: Tier | undefined;
  /** PreconditionFailedError at the first file whose artifact exists, also an unchanged one. */
  readonly ifAbsent?: boolean | undefined;
  /** How many files are under way at a time. Default 4. */
  readonly concurrency?: number | undefined;
  /** How often the upload of each file may be repeated. Default: the client's. */
  readonly retries?: number | undefined;
  readonly onProgress?: ((progress: TreeProgress) => void) | undefined;
  /** Told of every file as it has been written. */
  readonly onFile?: ((file: TreeFile & Uploaded) => void) | undefined;
  /** Told, before anything is written, of every file that is left as it is: its artifact has its content and metadata. */
  readonly onUnchanged?: ((file: TreeFile) => void) | undefined;
  /** With `skipInvalid`: told, before anything is written, of every file that is left out. */
  readonly onSkip?: ((file: SkippedFile) => void) | undefined;
}

/**
 * Writes the files below a directory as artifacts of one workflow: `a/b.txt` as `a__b.txt`, with its path in its metadata.
 * Names are normalised to NFC, which macOS does not; the path in the metadata is as the directory has it. A file whose
 * artifact has the same content and metadata is not written again, unless `rewrite` says so. Empty folders are left out. A
 * failure ends it, with what has been written until then in place; a second call writes the rest.
 *
 * @returns the files that were written, and their bytes
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
  const { tier, metadata, ifAbsent, retries, onFile, onUnchanged, onSkip } = options;
  const plan = await planTree(tierkeep, tree, directory, {
    ...options,
    rewrite: options.rewrite === true || ifAbsent === true,
  });
  for (const file of plan.skipped) onSkip?.(file);
  for (const file of plan.unchanged) onUnchanged?.(file);
  return await transferEach(plan.writes, options, async ({ replaces, ...file }, ends, moved) => {
    const uploaded = await uploadFile(
      tierkeep,
      { tenantId, workflowId, artifactId: file.artifactId },
      join(directory, file.path),
      {
        tier,
        metadata: { ...metadata, path: file.path },
        ifAbsent,
        retries,
        signal: ends,
        onProgress: ({ sentBytes }) => moved(sentBytes),
      },
    );
    onFile?.({ ...file, ...uploaded });
  });
}
