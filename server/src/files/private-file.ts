import { closeSync, openSync } from "node:fs";

/**
 * Creates an empty file that only this user can read, unless the path exists. SQLite would create it with the
 * umask's mode; its -wal and -shm files inherit the database's mode.
 *
 * An existing file is not opened: closing it would release every lock that this process holds on it.
 */
export function createPrivateFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch {
    // The path exists, or SQLite will report why it cannot be created.
  }
}
