import { workerData } from "node:worker_threads";
import { SqliteReader } from "./reader.ts";
import { scan } from "./scans.ts";
import { serve } from "./thread-protocol.ts";

await serve(() => {
  const reader = new SqliteReader(workerData as { readonly path: string; readonly cacheKiB: number });
  return {
    opened: null,
    call: (method, args) => scan(reader, method, args),
    close: () => reader.close(),
  };
});
