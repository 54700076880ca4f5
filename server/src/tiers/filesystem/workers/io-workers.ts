import type { Disk } from "../../../files/disk.ts";
import { storageError, storeClosed } from "../storage-errors.ts";
import { FileOperations } from "./file-operations.ts";

export type OperationName = keyof FileOperations;
export type OperationArguments<K extends OperationName> = Parameters<FileOperations[K]>;
export type OperationResult<K extends OperationName> = ReturnType<FileOperations[K]>;

/** One thread that performs file operations one at a time, in the order of the calls. */
export interface IoWorker {
  /**
   * Performs an operation and resolves with its result.
   *
   * @param transfer buffers to transfer to the thread with the arguments
   * @throws StorageError for a system error, which is its cause
   */
  call<K extends OperationName>(
    operation: K,
    args: OperationArguments<K>,
    transfer?: readonly ArrayBuffer[],
  ): Promise<OperationResult<K>>;
}

export interface IoWorkers {
  readonly count: number;
  /** Returns the worker with this index: the same one until it dies, then its replacement. */
  at(index: number): IoWorker;
  /** Returns the worker with the fewest pending calls. A session stays with the worker on which it started. */
  leastBusy(): IoWorker;
  /** Finishes pending calls and rejects new ones. */
  close(): Promise<void>;
}

/** Performs an operation on the calling thread. @throws StorageError for a system error, which is its cause */
export function perform<K extends OperationName>(
  operations: FileOperations,
  operation: K,
  args: OperationArguments<K>,
): OperationResult<K> {
  const method = operations[operation] as (...values: typeof args) => OperationResult<K>;
  try {
    return method.apply(operations, args);
  } catch (error) {
    throw storageError(error, operation);
  }
}

/** Returns a worker on the calling thread. Model checks use it, because they need a deterministic order of steps. */
export function inlineWorkers(options: { readonly root: string; readonly disk: Disk }): IoWorkers {
  const operations = new FileOperations({ ...options, worker: 0 });
  let closed = false;
  const worker: IoWorker = {
    call: async (operation, args) => {
      if (closed) throw storeClosed();
      return perform(operations, operation, args);
    },
  };
  const close = async (): Promise<void> => {
    closed = true;
  };
  return { count: 1, at: () => worker, leastBusy: () => worker, close };
}
