import { closeSync, openSync } from "node:fs";

/**
 * Creates an empty file that only this user may read, unless something is there. SQLite would create it with the umask's
 * mode; its -wal and -shm files get the mode of the database.
 *
 * A file that exists is not opened: closing it would release every lock that this process holds on it.
 */
export function createPrivateFile(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch {
    // It exists, or SQLite will say why it cannot be created.
  }
}
