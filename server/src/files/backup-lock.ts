import { DatabaseSync } from "node:sqlite";
import { createPrivateFile } from "./private-file.ts";
import { isBusy } from "./sqlite-failures.ts";

/** How long a backup waits for an owner that just looks at the lock, in ms. */
const WAIT_TIMEOUT_MS = 10_000;

/**
 * Says that a backup is being taken: while it is held, the store's owner removes no object. It is the operating
 * system's lock on a SQLite file of its own, shared by as many backups as there are: the system frees it when a backup
 * dies, however it dies. The folder must exist.
 */
export function pinForBackup(path: string): Disposable {
  createPrivateFile(path);
  const db = new DatabaseSync(path, { timeout: WAIT_TIMEOUT_MS });
  try {
    db.exec("BEGIN");
    // The lock is taken by the first read.
    db.prepare("SELECT count(*) FROM sqlite_schema").get();
  } catch (error) {
    db.close();
    throw error;
  }
  return { [Symbol.dispose]: () => db.close() };
}

/** The owner's side of the same lock. */
export class BackupWatch implements Disposable {
  readonly #db: DatabaseSync;

  constructor(path: string) {
    createPrivateFile(path);
    this.#db = new DatabaseSync(path, { timeout: 0 });
    this.#db.exec("PRAGMA journal_mode = DELETE");
  }

  /** Whether a backup is being taken. Some microseconds, and nothing is written. */
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
