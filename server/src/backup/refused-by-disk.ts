import { Refused } from "@tierkeep/schema/domain/refusals";
import { failureKind, isBusy } from "../files/sqlite-failures.ts";

const FULL = ["STORAGE_FULL", "ENOSPC", "EDQUOT", "EFBIG"];

/**
 * Returns the refusal for errors that the user can resolve; returns any other error unchanged. `place`: what
 * needs the space, and where.
 */
export function asRefusal(error: unknown, place: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code ?? "";
  if (FULL.includes(code) || failureKind(error) === "full") {
    return new Refused(
      "STORAGE_FULL",
      `There is not enough space ${place}. Partial files were deleted. Free some space there, or name a folder on another disk.`,
      {},
      { cause: error },
    );
  }
  if (isBusy(error)) {
    return new Refused(
      "UNAVAILABLE",
      "The server of this store holds a lock for longer than it should. Check whether it hangs, then try again.",
      {},
      { cause: error },
    );
  }
  return error;
}
