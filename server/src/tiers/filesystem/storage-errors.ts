import { type RefusalRecord, Refused } from "@tierkeep/schema/domain/refusals";
import { systemCode } from "../../files/disk.ts";

/** An error in a form that crosses threads: a cloned Error loses its code. */
export type FailureRecord =
  | { readonly kind: "refused"; readonly record: RefusalRecord }
  | { readonly kind: "system"; readonly code: string; readonly message: string }
  | { readonly kind: "unforeseen"; readonly message: string; readonly stack: string | undefined };

export function failureRecord(error: unknown): FailureRecord {
  if (error instanceof Refused) return { kind: "refused", record: error.toRecord() };
  const code = systemCode(error);
  const message = error instanceof Error ? error.message : String(error);
  if (code !== null) return { kind: "system", code, message };
  return { kind: "unforeseen", message, stack: error instanceof Error ? error.stack : undefined };
}

export function failureFrom(record: FailureRecord): Error {
  switch (record.kind) {
    case "refused":
      return Refused.from(record.record);
    case "system":
      return Object.assign(new Error(record.message), { code: record.code });
    case "unforeseen": {
      const error = new Error(record.message);
      if (record.stack !== undefined) error.stack = record.stack;
      return error;
    }
  }
}

/** What callers are told when the system refused: a Refused with the system's own error as its cause. Anything else is passed on as it is. */
export function storageError(error: unknown): unknown {
  const code = systemCode(error);
  if (code === null) return error;
  // EFBIG: a limit on the size of files that was set for this process, or the file system's own.
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG") {
    return new Refused(
      "STORAGE_FULL",
      `There is no room left for this (${code}). Free some space or purge artifacts, then try again.`,
      {},
      { cause: error },
    );
  }
  return new Refused(
    "TIER_UNAVAILABLE",
    `The disk behind the tiers refused (${code}). Try again; if it stays, look at the server's log and at the disk.`,
    {},
    { cause: error },
  );
}

export function storeClosed(): Refused {
  return new Refused("TIER_UNAVAILABLE", "The store has been closed. Open it again.");
}

/** The error that an aborted call rejects with, whatever reason the signal was given. */
export function abortError(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  if (reason instanceof Error && reason.name === "AbortError") return reason;
  return Object.assign(new Error("The operation was aborted.", { cause: reason }), { name: "AbortError" });
}
