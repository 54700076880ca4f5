import { workerData } from "node:worker_threads";
import type { Change } from "../../changes.ts";
import { serve } from "../thread-protocol.ts";
import { SqliteWriter, type WriterOptions } from "./writer.ts";

await serve(() => {
  const writer = new SqliteWriter(workerData as WriterOptions);
  return {
    opened: writer.epoch,
    call: (_method, [changes]) => writer.run(changes as readonly Change[]),
    idle: () => writer.checkpointIfLong(),
    close: () => writer.close(),
  };
});
