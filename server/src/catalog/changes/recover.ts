import { ageDays } from "@tierkeep/schema/domain/ages";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { RecoverChange } from "../artifact-changes.ts";
import type { ChangeType } from "../change-type.ts";
import type { Effect } from "../records.ts";
import { unpublished } from "./artifact-effects.ts";
import { keyEvent } from "./artifact-event.ts";

/**
 * The object with the damaged bytes does not become garbage, because found bytes are never deleted. Once no
 * row names it, it is an unknown object.
 */
export const recover: ChangeType<RecoverChange, boolean> = {
  grows: false,

  refs: ({ key, object }) => [
    ["artifact", key],
    ["staged", object],
  ],

  decide(change, found) {
    const { key, damaged, object, store, owner, jobId, finding, at } = change;
    const row = found.get("artifact", key);
    if (row === null || row.inline || row.damagedAt === null || row.object !== damaged)
      return { effects: [], result: false };
    const isBack = object === damaged;
    const staged = found.get("staged", object);
    if (!isBack && (staged?.owner !== owner || staged.store !== store))
      throw new Refused(
        "UNAVAILABLE",
        "The server discarded the recovered content before the repair was complete. Run the repair again.",
      );
    const version = found.seq + 1;
    const event = keyEvent("ARTIFACT_HEALED", change, key, {
      toTier: row.tier,
      ageDays: ageDays(row.ageSince, at),
      sizeBytes: row.sizeBytes,
      checksum: row.checksum,
      jobId,
    });
    const reported: readonly Effect[] =
      jobId === null || finding === null
        ? []
        : [
            { append: "finding", key: jobId, value: finding },
            { add: "jobCounts", key: jobId, by: { healed: 1 } },
          ];
    return {
      effects: [
        { put: "artifact", key, value: { ...row, object, store, damagedAt: null, version } },
        ...(isBack ? [] : [{ delete: "staged", key: object } as const]),
        unpublished(key, version),
        { append: "event", value: event },
        ...reported,
      ],
      result: true,
    };
  },
};
