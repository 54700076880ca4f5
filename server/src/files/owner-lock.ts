import { DatabaseSync } from "node:sqlite";
import { createPrivateFile } from "./private-file.ts";
import { isBusy } from "./sqlite-failures.ts";

export interface OwnerLock {
  release(): void;
}

/**
 * Acquires the lock of an embedded store, or returns null where a living process holds it. It is the
 * operating system's lock on a separate SQLite file: the system releases it when the process dies and keeps
 * it while the process is stopped. The folder must exist.
 */
export function tryOwn(path: string): OwnerLock | null {
  createPrivateFile(path);
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    // Not WAL, in which an exclusive transaction does not lock out readers. In memory: a full disk has no space for a
    // journal, and nothing is written.
    db.exec("PRAGMA journal_mode = MEMORY");
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    if (isBusy(error)) return null;
    throw error;
  }
  return { release: () => db.close() };
}
