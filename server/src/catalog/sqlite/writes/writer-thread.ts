import { workerData } from "node:worker_threads";
import { serveThread } from "../../../threads/thread-server.ts";
import type { Change } from "../../changes.ts";
import { SqliteWriter, type WriterOptions } from "./writer.ts";

await serveThread(() => {
  const writer = new SqliteWriter(workerData as WriterOptions);
  return {
    opened: writer.epoch,
    call: (_method, [changes]) => writer.run(changes as readonly Change[]),
    afterCall: () => writer.checkpointIfLong(),
    close: () => writer.close(),
  };
});
