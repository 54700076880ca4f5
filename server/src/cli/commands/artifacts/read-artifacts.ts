import { once } from "node:events";
import { open, realpath } from "node:fs/promises";
import { basename } from "node:path";
import process from "node:process";
import { type ArtifactKey, keyText } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { DownloadOptions, Tierkeep } from "@tierkeep/sdk";
import {
  type DownloadFileOptions,
  type DownloadTreeOptions,
  downloadFile,
  downloadTree,
  type Tree,
} from "@tierkeep/sdk/node";
import { kindOf, localProblem } from "../../local-file.ts";
import type { Output } from "../../output/output.ts";
import { type Progress, startProgress } from "../../output/progress.ts";
import { counted, formatBytes } from "../../output/quantity.ts";
import { readProblem } from "./read-problem.ts";
import { noArtifact } from "./stat.ts";
import { textOnly } from "./text-only.ts";
import { TRANSFER_RETRIES } from "./write-artifacts.ts";

/** Streams an artifact to stdout; to a terminal only if it is text. Returns exit code 0. */
export async function readToStdout(
  tierkeep: Tierkeep,
  key: ArtifactKey,
  signal: AbortSignal,
): Promise<number> {
  try {
    await copyToStdout(tierkeep, key, signal);
    return 0;
  } catch (error) {
    throw await readProblem(tierkeep, key, error);
  }
}

async function copyToStdout(tierkeep: Tierkeep, key: ArtifactKey, signal: AbortSignal): Promise<void> {
  const { stdout } = process;
  if (stdout.isTTY) {
    const { stream } = await tierkeep.download(key, { signal });
    for await (const text of textOnly(stream, key)) stdout.write(text);
    return;
  }
  using progress = startProgress(`Reading ${key.artifactId}`, "bytes");
  const { stream } = await tierkeep.download(key, { signal, onProgress: shownBy(progress) });
  for await (const chunk of stream) {
    if (!stdout.write(chunk)) await once(stdout, "drain", { signal });
  }
}

/** Writes an artifact and its content as one JSON document. Returns exit code 0. @throws Refused CONTENT_TOO_LARGE */
export async function readJson(tierkeep: Tierkeep, key: ArtifactKey, output: Output): Promise<number> {
  const { tenantId, workflowId, artifactId } = key;
  const artifact = await tierkeep.artifactContent({ tenantId, workflowId, artifactId, withBase64: true });
  if (artifact === null) throw noArtifact(key);
  const { text, base64, ...facts } = artifact;
  if (base64 === null) {
    throw new Refused(
      "CONTENT_TOO_LARGE",
      `${keyText(key)} has ${formatBytes(facts.sizeBytes)}, too much for the server to return as JSON. Read it with -o FILE.`,
    );
  }
  output.value({ ...facts, ...(text === null ? { base64 } : { text }) });
  return 0;
}

/** Reads an artifact into a file, which gets its name when it is complete. Returns exit code 0. */
export async function readToFile(
  tierkeep: Tierkeep,
  key: ArtifactKey,
  file: string,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  const kind = await kindOf(file);
  if (kind === "folder") {
    throw new Refused("BAD_USER_INPUT", `${file} is a folder. Name a file in it to write to.`);
  }
  using progress = startProgress(`Reading ${basename(file)}`, "bytes");
  const options = { signal, onProgress: shownBy(progress) };
  const onKept: DownloadFileOptions["onKept"] = ({ sizeBytes }) => {
    progress[Symbol.dispose]();
    output.note(
      `The ${formatBytes(sizeBytes)} received so far are kept. The same command continues from there.`,
    );
  };
  try {
    const read =
      kind === "other"
        ? await readToDevice(tierkeep, key, file, options)
        : // For a symbolic link, replace its target and not the link.
          await downloadFile(tierkeep, key, kind === "file" ? await realpath(file) : file, {
            ...options,
            resume: true,
            onKept,
          });
    progress[Symbol.dispose]();
    const { sizeBytes, checksum, contentType } = read;
    output.value({ file, ...key, sizeBytes, checksum, contentType });
    output.text(
      `Read ${keyText(key)} into ${file} (${formatBytes(sizeBytes)}, SHA-256 ${checksum.slice(0, 12)}…)`,
    );
    return 0;
  } catch (error) {
    throw await readProblem(tierkeep, key, localProblem(error, file));
  }
}

/** Writes into a device or a pipe, which cannot be replaced by a new file. */
async function readToDevice(tierkeep: Tierkeep, key: ArtifactKey, file: string, options: DownloadOptions) {
  const download = await tierkeep.download(key, options);
  const device = await open(file, "w");
  try {
    for await (const chunk of download.stream) await device.writeFile(chunk);
  } finally {
    await device.close();
  }
  return download;
}

/** Reads every artifact of a workflow into a folder. Returns exit code 0. */
export async function readTree(
  tierkeep: Tierkeep,
  tree: Tree,
  folder: string,
  options: Pick<DownloadTreeOptions, "dotFiles" | "signal">,
  output: Output,
): Promise<number> {
  using progress = startProgress("Reading", "bytes");
  let read = 0;
  let ignored = 0;
  try {
    const { fileCount, totalBytes } = await downloadTree(tierkeep, tree, folder, {
      ...options,
      retries: TRANSFER_RETRIES,
      onPathIgnored() {
        ignored += 1;
      },
      onProgress: ({ doneFiles, totalFiles, transferredBytes, totalBytes }) =>
        progress.update(
          transferredBytes,
          totalBytes,
          `Reading ${doneFiles} of ${counted(totalFiles, "file")}`,
        ),
      onFile(file) {
        read += 1;
        progress.clear();
        output.value(file);
      },
    });
    progress[Symbol.dispose]();
    if (ignored > 0) {
      output.note(
        `The artifact id was used as the file name of ${counted(ignored, "artifact")}, because the path in the metadata leads out of the folder or to a dot file. --dot-files allows dot files.`,
      );
    }
    output.text(
      `Read ${counted(fileCount, "file")} of ${tree.tenantId}/${tree.workflowId} into ${folder} (${formatBytes(totalBytes)})`,
    );
    return 0;
  } catch (error) {
    progress[Symbol.dispose]();
    if (read > 0) output.note(`${counted(read, "file")} had been read before the error.`);
    throw await readProblem(tierkeep, tree, localProblem(error));
  }
}

function shownBy(progress: Progress): NonNullable<DownloadOptions["onProgress"]> {
  return ({ receivedBytes, totalBytes }) => progress.update(receivedBytes, totalBytes);
}
