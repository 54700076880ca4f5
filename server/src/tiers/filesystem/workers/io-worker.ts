import { workerData } from "node:worker_threads";
import { realDisk, withoutFsync } from "../../../files/disk.ts";
import { serveThread } from "../../../threads/thread-server.ts";
import { FileOperations } from "./file-operations.ts";
import { type OperationArguments, type OperationName, perform } from "./io-workers.ts";

/** `workerData` of this script. */
export interface WorkerSettings {
  readonly root: string;
  readonly worker: number;
  readonly durability: "fsync" | "os";
}

await serveThread(() => {
  const { root, worker, durability } = workerData as WorkerSettings;
  const disk = durability === "os" ? withoutFsync(realDisk) : realDisk;
  const operations = new FileOperations({ root, worker, disk });
  return {
    call: (method, args) =>
      perform(operations, method as OperationName, args as OperationArguments<OperationName>),
    transferOf: (result) => (result instanceof Uint8Array ? [result.buffer as ArrayBuffer] : []),
  };
});
