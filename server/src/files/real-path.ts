import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** Returns the absolute path with its symbolic links followed, as far as it exists. */
export function realPath(given: string): string {
  const path = resolve(given);
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : join(realPath(dirname(path)), basename(path));
  }
}
