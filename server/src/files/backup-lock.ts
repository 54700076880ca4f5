import { DatabaseSync } from "node:sqlite";
import { createPrivateFile } from "./private-file.ts";
import { isBusy } from "./sqlite-failures.ts";

/** How long a backup waits for the server while it checks the lock, ms. */
const WAIT_TIMEOUT_MS = 10_000;

/**
 * Pins the store while a backup runs: the server deletes no object until the pin is released. The pin is the
 * operating system's lock on a separate SQLite file, shared by all running backups. The system releases it
 * when a backup process dies. The folder must exist.
 */
export function pinForBackup(path: string): Disposable {
  createPrivateFile(path);
  const db = new DatabaseSync(path, { timeout: WAIT_TIMEOUT_MS });
  try {
    db.exec("BEGIN");
    // The first read acquires the lock.
    db.prepare("SELECT count(*) FROM sqlite_schema").get();
  } catch (error) {
    db.close();
    throw error;
  }
  return { [Symbol.dispose]: () => db.close() };
}

/** The server's side of the same lock. */
export class BackupWatch implements Disposable {
  readonly #db: DatabaseSync;

  constructor(path: string) {
    createPrivateFile(path);
    this.#db = new DatabaseSync(path, { timeout: 0 });
    this.#db.exec("PRAGMA journal_mode = MEMORY");
  }

  /** Returns whether a backup is running. Takes some microseconds and writes nothing. */
  isHeld(): boolean {
    try {
      this.#db.exec("BEGIN EXCLUSIVE");
    } catch (error) {
      if (isBusy(error)) return true;
      throw error;
    }
    this.#db.exec("ROLLBACK");
    return false;
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
