import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readFileSync, readlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { treeOf } from "./storage-tree.ts";

/** One artifact as the Python system stored it. */
export interface PythonArtifact {
  readonly tier: "hot" | "warm" | "cold";
  /** "tenant/workflow/artifact". */
  readonly name: string;
  readonly content?: string | Uint8Array;
  /** Age of the file's modification time, in days. */
  readonly ageDays?: number;
  /**
   * Fields of its sidecar in addition to `_created_at`. Null: no sidecar. A string: the complete text of the
   * sidecar.
   */
  readonly sidecar?: Readonly<Record<string, unknown>> | string | null;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** The `_created_at` of sidecars in the Python system's format, without a time zone. */
export const CREATED_AT = "2024-01-15T10:30:00.123456";

/** Writes artifacts and their sidecars below `dir/artifacts`, as the Python system did. */
export function writePythonTree(dir: string, artifacts: readonly PythonArtifact[]): void {
  for (const { tier, name, content = `content of ${name}`, ageDays = 0, sidecar = {} } of artifacts) {
    const path = join(dir, "artifacts", tier, name);
    writeOld(path, content, ageDays);
    if (sidecar === null) continue;
    const text =
      typeof sidecar === "string"
        ? sidecar
        : JSON.stringify({ ...sidecar, _created_at: CREATED_AT }, null, 2);
    writeOld(`${path}.metadata.json`, text, ageDays);
  }
}

/** Writes a file with a modification time `ageDays` ago. */
export function writeOld(path: string, content: string | Uint8Array, ageDays = 0): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  const at = (Date.now() - ageDays * DAY_MS) / 1000;
  utimesSync(path, at, at);
}

/**
 * Returns each path in the tiers' folders with its type and mode, modification time, link count and content
 * hash.
 */
export function fingerprint(dir: string): readonly string[] {
  const root = join(dir, "artifacts");
  return treeOf(root)
    .filter((path) => !path.startsWith(".tierkeep/"))
    .map((path) => {
      const facts = lstatSync(join(root, path), { throwIfNoEntry: false });
      // A name that is not UTF-8 cannot be looked up by its decoded form.
      if (path.endsWith("/") || facts === undefined) return path;
      return `${path} ${facts.mode.toString(8)} ${facts.mtimeMs} ${facts.nlink} ${contentOf(join(root, path))}`;
    });
}

function contentOf(path: string): string {
  if (lstatSync(path).isSymbolicLink()) return readlinkSync(path);
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
