import { basename } from "node:path";
import process from "node:process";
import { type ArtifactKey, keyText } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Tierkeep, Uploaded, UploadOptions } from "@tierkeep/sdk";
import { uploadFile } from "@tierkeep/sdk/node";
import { localProblem } from "../../local-file.ts";
import type { Output } from "../../output/output.ts";
import { startProgress } from "../../output/progress.ts";
import { formatBytes } from "../../output/quantity.ts";

/** Number of retries of a transfer after the server has responded once. They take about half a minute. */
export const TRANSFER_RETRIES = 8;

/** Writes an artifact from a file, or from stdin if `file` is "-". Returns exit code 0. */
export async function writeFile(
  tierkeep: Tierkeep,
  key: ArtifactKey,
  file: string,
  options: UploadOptions,
  allowEmpty: boolean,
  output: Output,
): Promise<number> {
  // Fail early if the server does not respond now. Later the transfer is retried, because the server may be restarting.
  if (file !== "-") await tierkeep.viewer();
  using progress = startProgress(`Writing ${basename(file === "-" ? key.artifactId : file)}`, "bytes");
  const onProgress: UploadOptions["onProgress"] = ({ sentBytes, totalBytes }) =>
    progress.update(sentBytes, totalBytes);
  const uploaded =
    file === "-"
      ? await writeStdin(tierkeep, key, { ...options, onProgress }, allowEmpty)
      : await uploadFile(tierkeep, key, file, { ...options, retries: TRANSFER_RETRIES, onProgress }).catch(
          (error: unknown) => {
            throw localProblem(error, file);
          },
        );
  progress[Symbol.dispose]();
  output.value(uploaded);
  const { artifact, created } = uploaded;
  output.text(
    `${created ? "Wrote" : "Replaced"} ${keyText(artifact)} in ${artifact.tier} ` +
      `(${formatBytes(artifact.sizeBytes)}, ${artifact.contentType}, SHA-256 ${artifact.checksum.slice(0, 12)}…)`,
  );
  return 0;
}

/** @throws Refused BAD_USER_INPUT for empty stdin, unless `allowEmpty` */
async function writeStdin(
  tierkeep: Tierkeep,
  key: ArtifactKey,
  options: UploadOptions,
  allowEmpty: boolean,
): Promise<Uploaded> {
  const { stdin } = process;
  // An open stdin would keep the process alive.
  const closeStdin = (reason?: Error) => void stdin.on("error", () => {}).destroy(reason);
  const { signal } = options;
  signal?.addEventListener("abort", () => closeStdin(signal.reason), { once: true });
  try {
    const chunks: AsyncIterator<Uint8Array> = stdin[Symbol.asyncIterator]();
    const first = await chunks.next();
    if (first.done && !allowEmpty) {
      throw new Refused(
        "BAD_USER_INPUT",
        "stdin is empty, so nothing was written. Check the command before the pipe, or add --allow-empty.",
      );
    }
    return await tierkeep.upload(key, rejoined(first, chunks), options);
  } finally {
    closeStdin();
  }
}

async function* rejoined(
  first: IteratorResult<Uint8Array>,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  for (let next = first; !next.done; next = await rest.next()) yield next.value;
}
