import type { Disk } from "../disk.ts";
import { storageError, storeClosed } from "../storage-errors.ts";
import { FileOperations } from "./file-operations.ts";

export type OperationName = keyof FileOperations;
export type OperationArguments<K extends OperationName> = Parameters<FileOperations[K]>;
export type OperationResult<K extends OperationName> = ReturnType<FileOperations[K]>;

/** One thread that does file operations, one after the other, in the order in which it is asked. */
export interface Lane {
  /** `transfer`: memory that is given away with the arguments. A system error arrives as the Refused that it means, with it as its cause. */
  call<K extends OperationName>(
    operation: K,
    args: OperationArguments<K>,
    transfer?: readonly ArrayBuffer[],
  ): Promise<OperationResult<K>>;
}

export interface Lanes {
  readonly count: number;
  /** The same lane for the same index, until it crashes. */
  at(index: number): Lane;
  /** The one with the least to do. A session stays with the lane that it was begun on. */
  idlest(): Lane;
  /** Finishes what it was asked for, and takes no more. */
  close(): Promise<void>;
}

/** Does everything on the calling thread, at once: for model checks, which need one order of steps. */
export function inlineLanes(options: { readonly root: string; readonly disk: Disk }): Lanes {
  const operations = new FileOperations({ ...options, lane: 0 });
  let closed = false;
  const lane: Lane = {
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
  return { count: 1, at: () => lane, idlest: () => lane, close };
}
