import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Returns the SHA-256 of each file's content in a store, without the catalog's files and the sidecars. */
export function contentsOf(root: string, isSidecar: (name: string) => boolean): ReadonlySet<string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.parentPath !== join(root, ".tierkeep") && !isSidecar(entry.name),
  );
  return new Set(
    files.map(({ parentPath, name }) =>
      createHash("sha256")
        .update(readFileSync(join(parentPath, name)))
        .digest("hex"),
    ),
  );
}
