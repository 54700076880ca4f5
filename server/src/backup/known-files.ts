import { basename, dirname, join } from "node:path";
import { CHECKPOINTS_FILE, isLogName, PUBLIC_KEY_FILE } from "../audit/log-names.ts";
import type { ExportState } from "../catalog/rows.ts";
import type { Disk } from "../files/disk.ts";
import { AUDIT_KEY_FILE, CATALOG_FILE, CONFIG_FILE, LOGS_FOLDER, type Manifest } from "./manifest.ts";

const REQUIRED = [CATALOG_FILE, CONFIG_FILE];

/**
 * Returns the problem with the manifest's list of files, as the end of a sentence; null: none. The list must
 * contain the catalog, config.json and all known files in the folder, and no others.
 */
export function fileListProblem(disk: Disk, folder: string, { files }: Manifest): string | null {
  const listed = new Set(files.map(({ path }) => path));
  const unknown = [...listed].find((path) => !isKnown(path));
  if (unknown !== undefined) return `lists ${JSON.stringify(unknown)}, which is not a file of a backup`;
  const logs = (disk.readdir(join(folder, LOGS_FOLDER)) ?? []).map((name) => `${LOGS_FOLDER}/${name}`);
  const present = [...(disk.readdir(folder) ?? []), ...logs].filter(isKnown);
  const missing = [...REQUIRED, ...present].find((path) => !listed.has(path));
  return missing === undefined ? null : `does not list ${missing}`;
}

/** Returns true if the audit log that the catalog has exported is not among these files of a backup. */
export function missesLog(files: ReadonlySet<string>, state: ExportState | null): boolean {
  if (state === null) return false;
  return [state.file, CHECKPOINTS_FILE, PUBLIC_KEY_FILE].some((name) => !files.has(`${LOGS_FOLDER}/${name}`));
}

function isKnown(path: string): boolean {
  if ([CATALOG_FILE, CONFIG_FILE, AUDIT_KEY_FILE].includes(path)) return true;
  const name = basename(path);
  return (
    path === `${LOGS_FOLDER}/${name}` &&
    dirname(path) === LOGS_FOLDER &&
    (isLogName(name) || name === CHECKPOINTS_FILE || name === PUBLIC_KEY_FILE)
  );
}
