import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { ContentSource } from "../upload-body.ts";

/**
 * The content of a file, for `upload`: streamed, and read anew from its start when an upload is repeated.
 *
 * @throws TypeError for what is no regular file, and the system's error for one that cannot be found
 */
export async function fileContent(path: string | URL): Promise<ContentSource> {
  const stats = await stat(path);
  if (!stats.isFile()) throw new TypeError(`${path} is not a file.`);
  return { size: stats.size, stream: () => createReadStream(path) };
}
