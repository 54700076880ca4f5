import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { realPath } from "../../files/real-path.ts";

/**
 * How a path is stored with a store: relative to the store's folder where both are likely to be moved together, else
 * absolute. That is a path within the folder that holds the store, or any path where both were given as relative ones.
 *
 * @param root the store's folder as it was given
 * @param path as it was given
 */
export function storedPath(root: string, path: string): string {
  const [realRoot, realOne] = [realPath(root), realPath(path)];
  const way = relative(realRoot, realOne);
  const parent = dirname(realRoot);
  const isNear = isWithin(realOne, realRoot) || (dirname(parent) !== parent && isWithin(realOne, parent));
  const bothRelative = !isAbsolute(root) && !isAbsolute(path);
  return isNear || bothRelative ? way : realOne;
}

/** The absolute path that `storedPath` stands for, of a store that may have been moved. */
export function openedPath(root: string, stored: string): string {
  return resolve(realPath(root), stored);
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
