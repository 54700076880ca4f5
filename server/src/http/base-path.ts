/**
 * The path that every URL of the server begins with for its clients: that of PUBLIC_URL without a slash at its end. "" where
 * there is none.
 */
export function basePathOf(publicUrl: string | null): string {
  return publicUrl === null ? "" : new URL(publicUrl).pathname.replace(/\/+$/, "");
}

/**
 * The path of a request without the base path, which a proxy may or may not have removed. Clients that reach the server
 * without the proxy send it as well, since URLs in answers begin with it.
 */
export function withoutBase(path: string, basePath: string): string {
  if (basePath === "" || !path.startsWith(basePath)) return path;
  const rest = path.slice(basePath.length);
  return rest === "" ? "/" : rest.startsWith("/") ? rest : path;
}
