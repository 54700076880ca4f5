import type { Connection } from "../connection.ts";

/** Longest that one read may keep a snapshot, in ms: while it is kept, the WAL cannot start over and grows. */
const SNAPSHOT_MS = 500;

/**
 * Runs a read of several statements on one snapshot. `breathe` is called between its parts; a read that takes long is
 * given a newer snapshot there.
 */
export function onSnapshot<T>(connection: Connection, read: (breathe: () => void) => T): T {
  if (connection.inTransaction) return read(() => {});
  let since = performance.now();
  connection.statement("BEGIN").run();
  try {
    return read(() => {
      if (performance.now() - since < SNAPSHOT_MS) return;
      connection.statement("COMMIT").run();
      connection.statement("BEGIN").run();
      since = performance.now();
    });
  } finally {
    // A failure of the disk may have ended it. Nothing can go wrong with giving up what changed nothing.
    if (connection.inTransaction) connection.statement("ROLLBACK").run();
  }
}
