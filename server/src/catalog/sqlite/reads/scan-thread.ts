import { workerData } from "node:worker_threads";
import { serve } from "../thread-protocol.ts";
import { SqliteReader } from "./reader.ts";
import { ScanTurns } from "./scan-turns.ts";
import { scan, sent } from "./scans.ts";

await serve(() => {
  const reader = new SqliteReader(workerData as { readonly path: string; readonly cacheKiB: number });
  const turns = new ScanTurns(reader.snapshots);
  return {
    opened: null,
    begin: ({ id, method, args, turn }, ended, failed) =>
      turns.add({
        id,
        owner: turn?.owner ?? "",
        maxRows: turn?.maxRows ?? null,
        steps: scan(reader, method, args),
        ended: (end) => ended(end.ok ? { ...end, value: sent(method, end.value) } : end),
        failed,
      }),
    abandon: (id) => turns.abandon(id),
    close: () => reader.close(),
  };
});
