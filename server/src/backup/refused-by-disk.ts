import { Refused } from "@tierkeep/schema/domain/refusals";
import { failureKind, isBusy } from "../files/sqlite-failures.ts";

const FULL = ["STORAGE_FULL", "ENOSPC", "EDQUOT", "EFBIG"];

/** What the user can do something about, in their terms; anything else as it is. `place`: what there is no room for, and where. */
export function asRefusal(error: unknown, place: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code ?? "";
  if (FULL.includes(code) || failureKind(error) === "full") {
    return new Refused(
      "STORAGE_FULL",
      `There is not enough room ${place}. Nothing of it was kept. Free some space there, or name a folder on another disk.`,
      {},
      { cause: error },
    );
  }
  if (isBusy(error)) {
    return new Refused(
      "UNAVAILABLE",
      "The store's owner does not let go of a lock that it needs for moments only. Look whether it hangs, then try again.",
      {},
      { cause: error },
    );
  }
  return error;
}
