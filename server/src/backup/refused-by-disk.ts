import { Refused } from "@tierkeep/schema/domain/refusals";
import { isDiskFull } from "../files/disk.ts";
import { failureKind, isBusy } from "../files/sqlite-failures.ts";

/**
 * Returns the refusal for errors that the user can resolve; returns any other error unchanged. `place`: what
 * needs the space, and where.
 */
export function asRefusal(error: unknown, place: string): unknown {
  const isTierFull = error instanceof Refused && error.code === "STORAGE_FULL";
  if (isTierFull || isDiskFull(error) || failureKind(error) === "full") {
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
