import { type ErrorCode, Refused } from "@tierkeep/schema/domain/refusals";
import { StorageError, type StorageErrorKind } from "./storage-error.ts";

/** The only mapping of storage errors to refusals. */
const CODES: Readonly<Record<StorageErrorKind, ErrorCode>> = {
  UNAVAILABLE: "TIER_UNAVAILABLE",
  FULL: "STORAGE_FULL",
  DENIED: "TIER_UNAVAILABLE",
  UNREADABLE: "TIER_UNAVAILABLE",
};

/** Returns whether a refusal means that the bytes of one object cannot be read. */
export function isUnreadable({ cause }: Refused): boolean {
  return cause instanceof StorageError && cause.kind === "UNREADABLE";
}

/**
 * Wraps a port of a driver, such as a store with its view. Where a method, its promise or its iterable fails with a
 * StorageError, the caller gets the refusal for it, with the StorageError as the cause. All other errors are unchanged.
 */
export function refusing<T extends object>(port: T): T {
  return new Proxy(port, {
    get: (_, name) => {
      const member: unknown = Reflect.get(port, name);
      if (typeof member === "function")
        return (...args: readonly unknown[]) => called(() => Reflect.apply(member, port, args));
      return typeof member === "object" && member !== null ? refusing(member) : member;
    },
  });
}

function called(call: () => unknown): unknown {
  try {
    const result = call();
    return result instanceof Promise ? result.then(wrapped, refuse) : wrapped(result);
  } catch (error) {
    return refuse(error);
  }
}

function wrapped(result: unknown): unknown {
  const isIterable = typeof result === "object" && result !== null && Symbol.asyncIterator in result;
  return isIterable ? refusing(result) : result;
}

/** Throws the refusal for a StorageError, and any other error unchanged. */
export function refuse(error: unknown): never {
  if (!(error instanceof StorageError)) throw error;
  throw new Refused(CODES[error.kind], error.message, {}, { cause: error });
}
