import type { RelocatedChange } from "../artifact-changes.ts";
import type { ChangeType } from "../change-type.ts";
import type { ArtifactRow } from "../rows.ts";
import { dropped, unpublished } from "./artifact-effects.ts";

export const relocated: ChangeType<RelocatedChange, boolean> = {
  grows: true,

  refs: ({ key, copy }) => [["artifact", key], ...(copy === null ? [] : [["staged", copy.object] as const])],

  decide({ key, copy, storeIds, owner, at }, found) {
    const row = found.get("artifact", key);
    if (row === null || row.store === storeIds[row.tier])
      return { effects: [{ delete: "misplaced", key }], result: false };
    if (copy === null || !isCopyOf(row, copy) || storeIds[row.tier] !== copy.store)
      return { effects: [], result: false };
    const { object, store } = copy;
    const staged = found.get("staged", object);
    if (staged?.owner !== owner || staged.store !== store) return { effects: [], result: false };
    return {
      effects: [
        ...dropped(row, at),
        { delete: "staged", key: object },
        { put: "artifact", key, value: { ...row, object, store } },
        { delete: "misplaced", key },
        unpublished(key, row.version),
      ],
      result: true,
    };
  },
};

/** A damaged row keeps its object: recovery compares its name. */
function isCopyOf(row: ArtifactRow, { from }: NonNullable<RelocatedChange["copy"]>): boolean {
  return row.object === from && row.damagedAt === null && !row.inline;
}
