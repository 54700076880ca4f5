import type { Connection } from "../connection.ts";

/**
 * Maximum time that one read keeps a snapshot, ms: until it is released, the WAL cannot restart and grows.
 */
const SNAPSHOT_MS = 500;

/**
 * Runs a read of several statements on one snapshot. The read calls `renew` between its parts; once
 * SNAPSHOT_MS have passed, it continues on a newer snapshot.
 */
export function onSnapshot<T>(connection: Connection, read: (renew: () => void) => T): T {
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
    // A disk failure may have ended the transaction, which changed nothing in either case.
    if (connection.inTransaction) connection.statement("ROLLBACK").run();
  }
}
