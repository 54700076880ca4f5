import { readdirSync, readFileSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";

/** Returns every path under `root`, sorted. Folders end with a slash. */
export function treeOf(root: string): string[] {
  const paths: string[] = [];
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = relative(root, join(entry.parentPath, entry.name));
    paths.push(entry.isDirectory() ? `${path}/` : path);
  }
  return paths.sort();
}

/** Returns the published view: every file path in the tier folders, sorted. */
export function viewOf(server: { readonly dir: string }): string[] {
  return treeOf(join(server.dir, "artifacts")).filter((path) => /^(hot|warm|cold)\/.*[^/]$/.test(path));
}

/** Returns the parsed sidecar of a published file. */
export function sidecarOf(server: { readonly dir: string }, path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(server.dir, "artifacts", `${path}.metadata.json`), "utf8"));
}

/** Returns the paths of all objects. Each object has the bytes of one version of an artifact. */
export async function objectsOf(server: { readonly dir: string }): Promise<string[]> {
  const root = join(server.dir, "artifacts", ".tierkeep", "objects");
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Returns the path of the object with exactly these bytes, or undefined. */
export async function objectWith(
  server: { readonly dir: string },
  bytes: Uint8Array,
): Promise<string | undefined> {
  for (const path of await objectsOf(server)) {
    if (statSync(path).size === bytes.length && readFileSync(path).equals(bytes)) return path;
  }
  return undefined;
}

/** Returns the lines of the audit log in order, without an incomplete last line. */
export function auditLines(server: { readonly dir: string }): AuditLine[] {
  let text: string;
  try {
    text = readFileSync(join(server.dir, "logs", "lifecycle_events.jsonl"), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

export interface AuditLine {
  readonly seq: number;
  readonly event_type: string;
  readonly tenant_id: string | null;
  readonly artifact_id: string | null;
  readonly [key: string]: unknown;
}
