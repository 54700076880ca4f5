import type { Tierkeep } from "../client.ts";
import type { ArtifactKey } from "../endpoint.ts";
import type { Uploaded, UploadOptions } from "../upload.ts";
import { fileContent } from "./file-content.ts";

/** Writes an artifact from a file. @throws the errors of `upload` and of fileContent */
export async function uploadFile(
  tierkeep: Tierkeep,
  key: ArtifactKey,
  path: string | URL,
  options?: UploadOptions,
): Promise<Uploaded> {
  return await tierkeep.upload(key, await fileContent(path), options);
}
