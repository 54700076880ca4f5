import { workerData } from "node:worker_threads";
import { serveThread } from "../../../threads/thread-server.ts";
import { SqliteReader } from "./reader.ts";
import { type ScanTurn, ScanTurns } from "./scan-turns.ts";
import { scan, sent } from "./scans.ts";

await serveThread(() => {
  const reader = new SqliteReader(workerData as { readonly path: string; readonly cacheKiB: number });
  const turns = new ScanTurns(reader.snapshots);
  return {
    start: ({ id, method, args: [args, turn] }, resolve, reject) =>
      turns.add({
        id,
        ...(turn as ScanTurn),
        steps: scan(reader, method, args as readonly unknown[]),
        ended: (end) => resolve(end.ok ? { ...end, value: sent(method, end.value) } : end),
        failed: reject,
      }),
    cancel: (id) => turns.abandon(id),
    close: () => reader.close(),
  };
});
