import { type ArtifactKey, keyOf } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Found } from "../change-type.ts";
import type { JobCounts } from "../job-changes.ts";
import type { Effect, Ref } from "../records.ts";
import type { LifecycleItemRow } from "../rows.ts";

/** Returns the refs of a job and of its item for a key. */
export function itemRefs(jobId: string, key: ArtifactKey): readonly Ref[] {
  return [
    ["job", jobId],
    ["jobItem", { ...keyOf(key), jobId }],
  ];
}

/** @throws Refused NOT_FOUND */
export function requireJob(found: Found, jobId: string): void {
  if (found.get("job", jobId) === null) throw new Refused("NOT_FOUND", "There is no job with this id.");
}

/**
 * Returns the effects on a job that has processed a key. A repeated batch finds the item and does not process the key
 * again.
 */
export function handled(
  jobId: string,
  key: ArtifactKey,
  item: LifecycleItemRow | null,
  counts: JobCounts,
): readonly Effect[] {
  return [
    { put: "jobItem", key: { ...keyOf(key), jobId }, value: { item } },
    { add: "jobCounts", key: jobId, by: counts },
  ];
}
