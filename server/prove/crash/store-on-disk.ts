import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** The files of a store. `dir` contains `artifacts` and `logs`. */
export interface OnDisk {
  readonly dir: string;
}

/** Returns the paths of the published files, below `artifacts`. */
export function publishedIn({ dir }: OnDisk): string[] {
  return ["hot", "warm", "cold"].flatMap((tier) => filesBelow(join(dir, "artifacts"), tier));
}

/** Returns the number of objects, each of which holds the content of one version. */
export function objectsIn({ dir }: OnDisk): number {
  return filesBelow(join(dir, "artifacts", ".tierkeep"), "objects").length;
}

function filesBelow(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

/** Returns the complete lines of the audit log, in order. */
export function auditLinesIn({ dir }: OnDisk): { readonly seq: number }[] {
  const text = readFileSync(join(dir, "logs", "lifecycle_events.jsonl"), "utf8");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}
