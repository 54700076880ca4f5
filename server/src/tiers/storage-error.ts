export type StorageErrorKind = "UNAVAILABLE" | "FULL" | "DENIED" | "UNREADABLE";

/**
 * A failure of a store's storage. Drivers translate the errors of their storage into it; `refusing` turns it into a
 * refusal. Kinds:
 * - UNAVAILABLE: the storage does not respond, or the store is closed
 * - FULL: no space is left
 * - DENIED: the server has no permission
 * - UNREADABLE: the bytes of this one object cannot be read
 */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly kind: StorageErrorKind;
  /** Whether the same call may succeed later without a repair by an operator. */
  readonly retryable: boolean;

  /** `message` is shown to clients. It says what happened and what to do next. */
  constructor(kind: StorageErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
    this.retryable = kind === "UNAVAILABLE" || kind === "FULL";
  }

  /** Restores the class of a StorageError that another thread threw. Returns any other error unchanged. */
  static revive(error: Error): Error {
    if (error.name !== "StorageError") return error;
    const { kind, message, cause, stack = "" } = error as StorageError;
    return Object.assign(new StorageError(kind, message, { cause }), { stack });
  }
}
