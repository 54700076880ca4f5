import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { ContentSource } from "../upload-body.ts";

/**
 * Returns the content of a file for `upload`. It is streamed, and read again from its start on a retry.
 *
 * @throws TypeError if it is not a regular file; the system's error if it does not exist
 */
export async function fileContent(path: string | URL): Promise<ContentSource> {
  const stats = await stat(path);
  if (!stats.isFile()) throw new TypeError(`${path} is not a file.`);
  return { size: stats.size, stream: () => createReadStream(path) };
}
