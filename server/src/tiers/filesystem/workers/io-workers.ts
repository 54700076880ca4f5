import type { Disk } from "../../../files/disk.ts";
import { storageError, storeClosed } from "../storage-errors.ts";
import { FileOperations } from "./file-operations.ts";

export type OperationName = keyof FileOperations;
export type OperationArguments<K extends OperationName> = Parameters<FileOperations[K]>;
export type OperationResult<K extends OperationName> = ReturnType<FileOperations[K]>;

/** One thread that performs file operations one at a time, in the order of the calls. */
export interface IoWorker {
  /**
   * `transfer`: memory to hand over with the arguments. A system error becomes its Refused, with the system
   * error as the cause.
   */
  call<K extends OperationName>(
    operation: K,
    args: OperationArguments<K>,
    transfer?: readonly ArrayBuffer[],
  ): Promise<OperationResult<K>>;
}

export interface IoWorkers {
  readonly count: number;
  /** The same worker for the same index, until it dies. */
  at(index: number): IoWorker;
  /** The worker with the fewest pending calls. A session stays with the worker on which it started. */
  leastBusy(): IoWorker;
  /** Finishes pending calls and rejects new ones. */
  close(): Promise<void>;
}

/** Performs everything on the calling thread, for model checks, which need one order of steps. */
export function inlineWorkers(options: { readonly root: string; readonly disk: Disk }): IoWorkers {
  const operations = new FileOperations({ ...options, worker: 0 });
  let closed = false;
  const worker: IoWorker = {
    call: async (operation, args) => {
      if (closed) throw storeClosed();
      const method = operations[operation] as (...values: typeof args) => OperationResult<typeof operation>;
      try {
        return method.apply(operations, args);
      } catch (error) {
        throw storageError(error);
      }
    },
  };
  const close = async (): Promise<void> => {
    closed = true;
  };
  return { count: 1, at: () => worker, leastBusy: () => worker, close };
}
