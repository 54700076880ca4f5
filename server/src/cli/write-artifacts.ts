import { basename } from "node:path";
import process from "node:process";
import { type ArtifactKey, keyText } from "@tierkeep/schema/domain/keys";
import type { Tierkeep, Uploaded, UploadOptions } from "@tierkeep/sdk";
import { type Tree, type UploadTreeOptions, uploadFile, uploadTree } from "@tierkeep/sdk/node";
import { localProblem } from "./local-file.ts";
import { startProgress } from "./progress.ts";
import type { Output } from "./render-output.ts";
import { counted, shownBytes } from "./render-quantity.ts";

/** Writes an artifact from a file, or from stdin where that is "-". */
export async function writeFile(
  tierkeep: Tierkeep,
  key: ArtifactKey,
  file: string,
  options: UploadOptions,
  output: Output,
): Promise<number> {
  using progress = startProgress(`Writing ${basename(file === "-" ? key.artifactId : file)}`, "bytes");
  const onProgress: UploadOptions["onProgress"] = ({ sentBytes, totalBytes }) =>
    progress.update(sentBytes, totalBytes);
  const uploaded =
    file === "-"
      ? await writeStdin(tierkeep, key, { ...options, onProgress })
      : await uploadFile(tierkeep, key, file, { ...options, onProgress }).catch((error: unknown) => {
          throw localProblem(error, file);
        });
  progress[Symbol.dispose]();
  output.value(uploaded);
  const { artifact, created } = uploaded;
  output.text(
    `${created ? "Wrote" : "Replaced"} ${keyText(artifact)} in ${artifact.tier} ` +
      `(${shownBytes(artifact.sizeBytes)}, ${artifact.contentType}, SHA-256 ${artifact.checksum.slice(0, 12)}…)`,
  );
  return 0;
}

async function writeStdin(tierkeep: Tierkeep, key: ArtifactKey, options: UploadOptions): Promise<Uploaded> {
  const { stdin } = process;
  // Left open it would keep the process alive: until its writer ends it, or somebody types.
  const letGo = (reason?: Error) => void stdin.on("error", () => {}).destroy(reason);
  const { signal } = options;
  signal?.addEventListener("abort", () => letGo(signal.reason), { once: true });
  try {
    return await tierkeep.upload(key, stdin, options);
  } finally {
    letGo();
  }
}

/** Writes every file below a folder as an artifact of a workflow. */
export async function writeTree(
  tierkeep: Tierkeep,
  tree: Tree,
  folder: string,
  options: UploadTreeOptions,
  output: Output,
): Promise<number> {
  using progress = startProgress("Writing", "bytes");
  let written = 0;
  try {
    const { fileCount, totalBytes } = await uploadTree(tierkeep, tree, folder, {
      ...options,
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
    });
    progress[Symbol.dispose]();
    const where = `${tree.tenantId}/${tree.workflowId}`;
    output.text(
      `Wrote ${counted(fileCount, "file")} to ${where} in ${options.tier ?? "HOT"} (${shownBytes(totalBytes)})`,
    );
    return 0;
  } catch (error) {
    progress[Symbol.dispose]();
    if (written > 0) output.talk(`${counted(written, "file")} had been written by then.`);
    throw localProblem(error);
  }
}
