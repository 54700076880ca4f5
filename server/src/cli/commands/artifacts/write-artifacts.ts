import { basename } from "node:path";
import process from "node:process";
import { type ArtifactKey, keyText } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Tierkeep, Uploaded, UploadOptions } from "@tierkeep/sdk";
import { uploadFile } from "@tierkeep/sdk/node";
import { localProblem } from "../../local-file.ts";
import type { Output } from "../../output/output.ts";
import { startProgress } from "../../output/progress.ts";
import { shownBytes } from "../../output/quantity.ts";

/** How often a transfer is repeated once the server has answered: for about half a minute. */
export const RETRIES_ONCE_BEGUN = 8;

/** Writes an artifact from a file, or from stdin where that is "-". */
export async function writeFile(
  tierkeep: Tierkeep,
  key: ArtifactKey,
  file: string,
  options: UploadOptions,
  allowEmpty: boolean,
  output: Output,
): Promise<number> {
  // A server that answers now is waited for when it goes away later: it may be restarting.
  if (file !== "-") await tierkeep.viewer();
  using progress = startProgress(`Writing ${basename(file === "-" ? key.artifactId : file)}`, "bytes");
  const onProgress: UploadOptions["onProgress"] = ({ sentBytes, totalBytes }) =>
    progress.update(sentBytes, totalBytes);
  const uploaded =
    file === "-"
      ? await writeStdin(tierkeep, key, { ...options, onProgress }, allowEmpty)
      : await uploadFile(tierkeep, key, file, { ...options, retries: RETRIES_ONCE_BEGUN, onProgress }).catch(
          (error: unknown) => {
            throw localProblem(error, file);
          },
        );
  progress[Symbol.dispose]();
  output.value(uploaded);
  const { artifact, created } = uploaded;
  output.text(
    `${created ? "Wrote" : "Replaced"} ${keyText(artifact)} in ${artifact.tier} ` +
      `(${shownBytes(artifact.sizeBytes)}, ${artifact.contentType}, SHA-256 ${artifact.checksum.slice(0, 12)}…)`,
  );
  return 0;
}

/** @throws Refused BAD_USER_INPUT for stdin without a byte, unless `allowEmpty` */
async function writeStdin(
  tierkeep: Tierkeep,
  key: ArtifactKey,
  options: UploadOptions,
  allowEmpty: boolean,
): Promise<Uploaded> {
  const { stdin } = process;
  // Left open it would keep the process alive: until its writer ends it, or somebody types.
  const letGo = (reason?: Error) => void stdin.on("error", () => {}).destroy(reason);
  const { signal } = options;
  signal?.addEventListener("abort", () => letGo(signal.reason), { once: true });
  try {
    const chunks: AsyncIterator<Uint8Array> = stdin[Symbol.asyncIterator]();
    const first = await chunks.next();
    if (first.done && !allowEmpty) {
      throw new Refused(
        "BAD_USER_INPUT",
        "stdin holds nothing, so nothing was written. Check the command before the pipe, or add --allow-empty.",
      );
    }
    return await tierkeep.upload(key, rejoined(first, chunks), options);
  } finally {
    letGo();
  }
}

async function* rejoined(
  first: IteratorResult<Uint8Array>,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  for (let next = first; !next.done; next = await rest.next()) yield next.value;
}
