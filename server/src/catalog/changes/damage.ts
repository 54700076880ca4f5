import { ageDays } from "@tierkeep/schema/domain/ages";
import type { DamageChange } from "../artifact-changes.ts";
import type { ChangeType } from "../change-type.ts";
import { keyEvent } from "./artifact-event.ts";

/** The mark prevents a second event for the same damage. The version stays: nothing that a client wrote changes. */
export const damage: ChangeType<DamageChange, null> = {
  grows: false,

  refs: ({ key }) => [["facts", key]],

  decide(change, found) {
    const { key, at, object, error } = change;
    const row = found.get("facts", key);
    if (row === null || row.damagedAt !== null || row.object !== object) return { effects: [], result: null };
    const event = keyEvent("SCAN_ERROR", change, key, {
      fromTier: row.tier,
      ageDays: ageDays(row.ageSince, at),
      sizeBytes: row.sizeBytes,
      checksum: row.checksum,
      errorCode: "CHECKSUM_MISMATCH",
      error,
    });
    return {
      effects: [
        { put: "facts", key, value: { ...row, damagedAt: at } },
        { append: "event", value: event },
      ],
      result: null,
    };
  },
};
