import { isDiskFull, systemCode } from "../../files/disk.ts";
import { StorageError } from "../storage-error.ts";

/** Operations that read the bytes of one object, and the errors of them that concern only this object. */
const READS: ReadonlySet<string> = new Set(["readWhole", "openRead", "readNext"]);
const UNREADABLE: ReadonlySet<string> = new Set(["EIO", "ELOOP", "ENXIO"]);
const DENIED: ReadonlySet<string> = new Set(["EACCES", "EPERM", "EROFS"]);

/**
 * Returns the StorageError for a system error of this file operation. The system error becomes its cause. Returns any
 * other error unchanged.
 */
export function storageError(error: unknown, operation: string): unknown {
  const code = systemCode(error);
  if (code === null) return error;
  const cause = { cause: error };
  const later = "Try again. If the error persists, check the server's log and the disk.";
  if (isDiskFull(error))
    return new StorageError(
      "FULL",
      `There is no space left for this (${code}). Free some space or purge artifacts, then try again.`,
      cause,
    );
  if (DENIED.has(code))
    return new StorageError(
      "DENIED",
      `The server has no permission for its files (${code}). Check their owner and mode, and whether the disk is mounted read-only. Then try again.`,
      cause,
    );
  return READS.has(operation) && UNREADABLE.has(code)
    ? new StorageError("UNREADABLE", `The disk cannot read the bytes (${code}). ${later}`, cause)
    : new StorageError("UNAVAILABLE", `The disk of the tiers failed (${code}). ${later}`, cause);
}

export function storeClosed(): StorageError {
  return new StorageError("UNAVAILABLE", "The store has been closed. Open it again.");
}

/**
 * Returns the AbortError with which an aborted call rejects: the signal's reason if it is one, otherwise its
 * cause.
 */
export function abortError(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  if (reason instanceof Error && reason.name === "AbortError") return reason;
  return Object.assign(new Error("The operation was aborted.", { cause: reason }), { name: "AbortError" });
}
