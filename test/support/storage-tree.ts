import { readdirSync, readFileSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";

/** Every path under `root`, folders with a slash at the end, sorted. */
export function treeOf(root: string): string[] {
  const paths: string[] = [];
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = relative(root, join(entry.parentPath, entry.name));
    paths.push(entry.isDirectory() ? `${path}/` : path);
  }
  return paths.sort();
}

/** The published view: every path in the tier folders but for empty folders, sorted. */
export function viewOf(server: { readonly dir: string }): string[] {
  return treeOf(join(server.dir, "artifacts")).filter((path) => /^(hot|warm|cold)\/.*[^/]$/.test(path));
}

/** A sidecar's JSON. */
export function sidecarOf(server: { readonly dir: string }, path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(server.dir, "artifacts", `${path}.metadata.json`), "utf8"));
}

/** Paths of the objects, each one version of one artifact's bytes. */
export async function objectsOf(server: { readonly dir: string }): Promise<string[]> {
  const root = join(server.dir, "artifacts", ".tierkeep", "objects");
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** The object that holds exactly these bytes, of those of its size. */
export async function objectWith(
  server: { readonly dir: string },
  bytes: Uint8Array,
): Promise<string | undefined> {
  for (const path of await objectsOf(server)) {
    if (statSync(path).size === bytes.length && readFileSync(path).equals(bytes)) return path;
  }
  return undefined;
}

/** The audit log's lines, in order; the last one may not be whole yet, and is left out then. */
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
