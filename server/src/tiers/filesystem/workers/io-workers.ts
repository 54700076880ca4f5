import type { Disk } from "../../../files/disk.ts";
import { storageError, storeClosed } from "../storage-errors.ts";
import { FileOperations } from "./file-operations.ts";

export type OperationName = keyof FileOperations;
export type OperationArguments<K extends OperationName> = Parameters<FileOperations[K]>;
export type OperationResult<K extends OperationName> = ReturnType<FileOperations[K]>;

/** One thread that does file operations, one after the other, in the order in which it is asked. */
export interface IoWorker {
  /** `transfer`: memory that is given away with the arguments. A system error arrives as the Refused that it means, with it as its cause. */
  call<K extends OperationName>(
    operation: K,
    args: OperationArguments<K>,
    transfer?: readonly ArrayBuffer[],
  ): Promise<OperationResult<K>>;
}

export interface IoWorkers {
  readonly count: number;
  /** The same worker for the same index, until it crashes. */
  at(index: number): IoWorker;
  /** The one with the least to do. A session stays with the worker that it was begun on. */
  leastBusy(): IoWorker;
  /** Finishes what it was asked for, and takes no more. */
  close(): Promise<void>;
}

/** Does everything on the calling thread, at once: for model checks, which need one order of steps. */
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
