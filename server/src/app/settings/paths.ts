import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { realPath } from "../../files/real-path.ts";

/**
 * Returns how a path is stored with a store: relative to the store's folder if both are likely to be moved together, else
 * absolute. They are if the path is within the folder that contains the store, or if both were given as relative paths.
 *
 * @param root the store's folder as it was given
 * @param path as it was given
 */
export function storedPath(root: string, path: string): string {
  const [realRoot, realOne] = [realPath(root), realPath(path)];
  const relativePath = relative(realRoot, realOne);
  const parent = dirname(realRoot);
  const isNear = isWithin(realOne, realRoot) || (dirname(parent) !== parent && isWithin(realOne, parent));
  const bothRelative = !isAbsolute(root) && !isAbsolute(path);
  return isNear || bothRelative ? relativePath : realOne;
}

/** Returns the absolute path for a stored path of a store that may have been moved. */
export function openedPath(root: string, stored: string): string {
  return resolve(realPath(root), stored);
}

function isWithin(path: string, folder: string): boolean {
  const relativePath = relative(folder, path);
  return relativePath !== ".." && !relativePath.startsWith(`..${sep}`) && !isAbsolute(relativePath);
}
