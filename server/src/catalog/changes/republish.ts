import type { ChangeType } from "../change-type.ts";
import type { Effect } from "../records.ts";
import type { RepublishChange } from "../upkeep-changes.ts";
import { unpublished } from "./artifact-effects.ts";

export const republish: ChangeType<RepublishChange, null> = {
  grows: false,

  refs: ({ key }) => [["facts", key]],

  decide({ key, found: seen }, found) {
    const row = found.get("facts", key);
    if (row === null) return { effects: [], result: null };
    const findings = (seen?.findings ?? []).map(
      (value): Effect => ({ append: "finding", key: seen?.jobId ?? "", value }),
    );
    return { effects: [unpublished(key, row.version), ...findings], result: null };
  },
};
