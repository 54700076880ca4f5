import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readFileSync, readlinkSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { treeOf } from "./storage-tree.ts";

/** One artifact as the Python system left it. */
export interface PythonArtifact {
  readonly tier: "hot" | "warm" | "cold";
  /** "tenant/workflow/artifact". */
  readonly name: string;
  readonly content?: string | Uint8Array;
  /** Its file's time of modification. */
  readonly ageDays?: number;
  /** What stands in its sidecar, beside `_created_at`; null: it has none. A text: the sidecar as it is. */
  readonly sidecar?: Readonly<Record<string, unknown>> | string | null;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** The instant that sidecars give as `_created_at`, as that system wrote it: without a zone. */
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

/** A file that was written `ageDays` ago. */
export function writeOld(path: string, content: string | Uint8Array, ageDays = 0): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  const at = (Date.now() - ageDays * DAY_MS) / 1000;
  utimesSync(path, at, at);
}

/** Everything about the tiers' folders that a change would show in: each path with its kind, mode, time and content. */
export function fingerprint(dir: string): readonly string[] {
  const root = join(dir, "artifacts");
  return treeOf(root)
    .filter((path) => !path.startsWith(".tierkeep/"))
    .map((path) => {
      const facts = lstatSync(join(root, path), { throwIfNoEntry: false });
      // A name that is not UTF-8 cannot be looked up by what it is shown as.
      if (path.endsWith("/") || facts === undefined) return path;
      return `${path} ${facts.mode.toString(8)} ${facts.mtimeMs} ${facts.nlink} ${contentOf(join(root, path))}`;
    });
}

function contentOf(path: string): string {
  if (lstatSync(path).isSymbolicLink()) return readlinkSync(path);
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
