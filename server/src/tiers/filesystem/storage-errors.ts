import { Refused } from "@tierkeep/schema/domain/refusals";
import { systemCode } from "../../files/disk.ts";

/** Returns the Refused for a system error, which becomes its cause. Returns any other error unchanged. */
export function storageError(error: unknown): unknown {
  const code = systemCode(error);
  if (code === null) return error;
  // EFBIG: the file size limit of this process or of the file system.
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG") {
    return new Refused(
      "STORAGE_FULL",
      `There is no space left for this (${code}). Free some space or purge artifacts, then try again.`,
      {},
      { cause: error },
    );
  }
  return new Refused(
    "TIER_UNAVAILABLE",
    `The disk of the tiers failed (${code}). Try again. If the error persists, check the server's log and the disk.`,
    {},
    { cause: error },
  );
}

export function storeClosed(): Refused {
  return new Refused("TIER_UNAVAILABLE", "The store has been closed. Open it again.");
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
