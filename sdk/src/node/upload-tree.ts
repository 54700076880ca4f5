import { join } from "node:path";
import type { Tierkeep } from "../client.ts";
import type { Tier } from "../generated/enums.ts";
import type { Uploaded } from "../upload.ts";
import { type Tree, type TreeFile, type TreeProgress, type TreeResult, transferEach } from "./tree.ts";
import { planTree, type SkippedFile, type TreePlanOptions } from "./tree-plan.ts";
import { uploadFile } from "./upload-file.ts";

export interface UploadTreeOptions extends TreePlanOptions {
  /** The tier to write the files to. Default: HOT. */
  readonly tier?: Tier | undefined;
  /** Fails with PreconditionFailedError at the first file whose artifact exists, even an unchanged one. */
  readonly ifAbsent?: boolean | undefined;
  /** Maximum number of concurrent uploads. Default: 4. */
  readonly concurrency?: number | undefined;
  /** Number of retries of each upload. Default: the client's. */
  readonly retries?: number | undefined;
  readonly onProgress?: ((progress: TreeProgress) => void) | undefined;
  /** Called with every file after it is written. */
  readonly onFile?: ((file: TreeFile & Uploaded) => void) | undefined;
  /**
   * Called, before anything is written, with every unchanged file: its artifact already has its content and
   * metadata.
   */
  readonly onUnchanged?: ((file: TreeFile) => void) | undefined;
  /** With `skipInvalid`: called, before anything is written, with every skipped file. */
  readonly onSkip?: ((file: SkippedFile) => void) | undefined;
}

/**
 * Writes the files below a directory as artifacts of one workflow: the file `a/b.txt` becomes the artifact
 * `a/b.txt`, with its path in its metadata. Artifact ids are normalised to NFC; the path in the metadata is unchanged. A file
 * whose artifact already has the same content and metadata is not written, unless `rewrite` is true. Empty
 * folders are ignored. The first failure stops the transfer; written artifacts remain, and a second call
 * writes the rest.
 *
 * @returns the number of written files, and their bytes
 * @throws BadUserInputError, before anything is written, for files with the same artifact id, and for links
 * and other entries that are not files; InvalidIdentifierError for names that break the naming rule
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
