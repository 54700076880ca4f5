import type { Tierkeep } from "@tierkeep/sdk";
import {
  planTree,
  type SkippedFile,
  type Tree,
  type TreePlanOptions,
  type UploadTreeOptions,
  uploadTree,
} from "@tierkeep/sdk/node";
import { localProblem } from "../../local-file.ts";
import type { Output } from "../../output/output.ts";
import { startProgress } from "../../output/progress.ts";
import { counted, formatBytes } from "../../output/quantity.ts";
import { TRANSFER_RETRIES } from "./write-artifacts.ts";

/** Writes the changed files below a folder as artifacts of a workflow. Returns exit code 0. */
export async function writeTree(
  tierkeep: Tierkeep,
  tree: Tree,
  folder: string,
  options: UploadTreeOptions,
  output: Output,
): Promise<number> {
  using progress = startProgress("Writing", "bytes");
  let written = 0;
  let unchanged = 0;
  let skipped = 0;
  try {
    const { fileCount, totalBytes } = await uploadTree(tierkeep, tree, folder, {
      ...options,
      retries: TRANSFER_RETRIES,
      onProgress: ({ doneFiles, totalFiles, transferredBytes, totalBytes }) =>
        progress.update(
          transferredBytes,
          totalBytes,
          `Writing ${doneFiles} of ${counted(totalFiles, "file")}`,
        ),
      onFile({ path, created, artifact }) {
        written += 1;
        progress.clear();
        output.value({ path, created, artifact });
      },
      onUnchanged() {
        unchanged += 1;
      },
      onSkip(file) {
        skipped += 1;
        showSkipped(file, output);
      },
    });
    progress[Symbol.dispose]();
    output.text(
      `Wrote ${counted(fileCount, "file")} to ${tree.tenantId}/${tree.workflowId} in ${options.tier ?? "HOT"} ` +
        `(${formatBytes(totalBytes)})${others({ unchanged, skipped })}`,
    );
    return 0;
  } catch (error) {
    progress[Symbol.dispose]();
    if (written > 0) {
      output.note(
        `${counted(written, "file")} had been written before the error. The same command writes the rest.`,
      );
    }
    throw localProblem(error);
  }
}

/** Lists what `writeTree` would write, and changes nothing. Returns exit code 0. */
export async function planTreeWrite(
  tierkeep: Tierkeep,
  tree: Tree,
  folder: string,
  options: TreePlanOptions,
  output: Output,
): Promise<number> {
  const { writes, unchanged, skipped } = await planTree(tierkeep, tree, folder, options).catch((error) => {
    throw localProblem(error);
  });
  for (const file of skipped) showSkipped(file, output);
  await output.list(
    [
      { head: "would", narrow: "stay" },
      { head: "file", narrow: "shorten" },
      { head: "size", align: "right", narrow: "stay" },
    ],
    writes,
    ({ path, replaces, sizeBytes }) => [replaces ? "replace" : "create", path, formatBytes(sizeBytes)],
    options.signal,
  );
  const bytes = writes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  output.text(
    `Would write ${counted(writes.length, "file")} to ${tree.tenantId}/${tree.workflowId} (${formatBytes(bytes)})` +
      others({ unchanged: unchanged.length, skipped: skipped.length }),
  );
  output.text("Nothing was changed.");
  return 0;
}

function showSkipped({ path, reason }: SkippedFile, output: Output): void {
  output.note(`Skipped: ${path}: ${reason}`);
}

function others({ unchanged, skipped }: { readonly unchanged: number; readonly skipped: number }): string {
  return [
    unchanged === 0 ? "" : `, ${unchanged} unchanged`,
    skipped === 0 ? "" : `, ${skipped} skipped`,
  ].join("");
}
