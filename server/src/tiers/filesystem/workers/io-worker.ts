import { parentPort, workerData } from "node:worker_threads";
import { realDisk, withoutFsync } from "../../../files/disk.ts";
import { type FailureRecord, failureRecord } from "../storage-errors.ts";
import { FileOperations } from "./file-operations.ts";
import type { OperationName } from "./io-workers.ts";

/** What a worker is started with. */
export interface WorkerSettings {
  readonly root: string;
  readonly worker: number;
  readonly durability: "fsync" | "os";
}

export interface WorkerRequest {
  readonly id: number;
  readonly operation: OperationName;
  readonly args: readonly unknown[];
}

export type WorkerReply =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly failure: FailureRecord };

const { root, worker, durability } = workerData as WorkerSettings;
const operations = new FileOperations({
  root,
  worker,
  disk: durability === "os" ? withoutFsync(realDisk) : realDisk,
});

parentPort?.on("message", ({ id, operation, args }: WorkerRequest) => {
  try {
    const result = (operations[operation] as (...values: unknown[]) => unknown).apply(operations, [...args]);
    const transfer = result instanceof Uint8Array ? [result.buffer as ArrayBuffer] : [];
    parentPort?.postMessage({ id, ok: true, result } satisfies WorkerReply, transfer);
  } catch (error) {
    parentPort?.postMessage({ id, ok: false, failure: failureRecord(error) } satisfies WorkerReply);
  }
});
