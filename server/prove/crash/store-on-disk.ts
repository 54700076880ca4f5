import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** What a store is to whoever looks at its files, by the folder with its `artifacts` and its `logs`. */
export interface OnDisk {
  readonly dir: string;
}

/** Paths of the published files, below `artifacts`. */
export function publishedIn({ dir }: OnDisk): string[] {
  return ["hot", "warm", "cold"].flatMap((tier) => filesBelow(join(dir, "artifacts"), tier));
}

/** How many objects there are, each one version of one artifact's bytes. */
export function objectsIn({ dir }: OnDisk): number {
  return filesBelow(join(dir, "artifacts", ".tierkeep"), "objects").length;
}

function filesBelow(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

/** The audit log's lines, in order, but for a last one that is not whole yet. */
export function auditLinesIn({ dir }: OnDisk): { readonly seq: number }[] {
  const text = readFileSync(join(dir, "logs", "lifecycle_events.jsonl"), "utf8");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}
