/**
 * Returns the path of PUBLIC_URL without a trailing slash. All URLs of the server start with it. "" if there
 * is none.
 */
export function basePathOf(publicUrl: string | null): string {
  return publicUrl === null ? "" : new URL(publicUrl).pathname.replace(/\/+$/, "");
}

/**
 * Returns the path of a request without the base path. A proxy may have removed the base path already.
 * Clients that reach the server without the proxy send it, because URLs in responses start with the base
 * path.
 */
export function withoutBase(path: string, basePath: string): string {
  if (basePath === "" || !path.startsWith(basePath)) return path;
  const rest = path.slice(basePath.length);
  return rest === "" ? "/" : rest.startsWith("/") ? rest : path;
}
