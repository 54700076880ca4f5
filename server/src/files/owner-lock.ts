import { DatabaseSync } from "node:sqlite";
import { createPrivateFile } from "./private-file.ts";
import { isBusy } from "./sqlite-failures.ts";

export interface OwnerLock {
  release(): void;
}

/**
 * Takes the lock of an embedded store, or answers null when a living process has it. It is the operating system's lock
 * on a SQLite file of its own: the system frees it when the process dies, however it dies, and keeps it while the
 * process is stopped. The folder must exist.
 */
export function tryOwn(path: string): OwnerLock | null {
  createPrivateFile(path);
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    // A rollback journal, not WAL: only there does an exclusive transaction keep everybody out.
    db.exec("PRAGMA journal_mode = DELETE");
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    if (isBusy(error)) return null;
    throw error;
  }
  return { release: () => db.close() };
}
