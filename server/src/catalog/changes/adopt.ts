import { ageDays } from "@tierkeep/schema/domain/ages";
import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import { keyOf } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { ChangeType } from "../change-type.ts";
import type { ResultOf } from "../changes.ts";
import type { AdoptChange, PresentChange, StoreCounts } from "../job-changes.ts";
import type { Effect } from "../records.ts";
import type { ArtifactRow } from "../rows.ts";
import { counted, scopeRefs, scopesPresent, unpublished } from "./artifact-effects.ts";
import { keyEvent } from "./artifact-event.ts";
import { handled, itemRefs, requireJob } from "./job-items.ts";

/**
 * The file found in the view of an unpublished key may belong to an artifact that was purged a moment ago, so
 * it is not adopted.
 */
export const adopt: ChangeType<AdoptChange, ResultOf<AdoptChange>> = {
  grows: true,

  refs: ({ jobId, key, artifact }) => [
    ...itemRefs(jobId, key),
    ["facts", key],
    ["unpublished", key],
    ["staged", artifact.object],
    ["gate", "purge"],
    ...scopeRefs(key),
  ],

  decide(change, found) {
    const { key, jobId, artifact, dryRun, findings } = change;
    requireJob(found, jobId);
    if (found.get("jobItem", { ...key, jobId }) !== null) return { effects: [], result: "repeated" };
    if (found.get("facts", key) !== null)
      return { effects: withFindings(change, [], { present: 1 }), result: "present" };
    if (found.get("unpublished", key) !== null)
      return { effects: withFindings(change, [], {}), result: "passed" };
    const counts = { adopted: 1, quarantined: quarantinedIn(findings) };
    const effects = withFindings(change, findings, counts);
    if (dryRun) return { effects, result: "adopted" };
    const staged = found.get("staged", artifact.object);
    if (staged?.owner !== change.owner || staged.store !== artifact.store) {
      throw new Refused(
        "UNAVAILABLE",
        "The server discarded the object of the found file before it was adopted. Run the reindex again.",
      );
    }
    const version = found.seq + 1;
    const row: ArtifactRow = {
      ...keyOf(key),
      ...artifact,
      promotedAt: null,
      promotedFrom: null,
      damagedAt: null,
      inline: false,
      row: version,
      version,
    };
    const event = keyEvent("ARTIFACT_ADOPTED", change, key, {
      toTier: artifact.tier,
      ageDays: ageDays(artifact.ageSince, change.at),
      sizeBytes: artifact.sizeBytes,
      checksum: artifact.checksum,
      jobId,
    });
    const unconfirmed = found.get("gate", "purge")?.jobIds ?? [];
    return {
      effects: [
        ...effects,
        ...scopesPresent(found, key),
        { put: "artifact", key, value: row },
        counted(row, 1),
        { delete: "staged", key: artifact.object },
        unpublished(key, version),
        ...(unconfirmed.includes(jobId)
          ? []
          : [{ put: "gate", key: "purge", value: { jobIds: [...unconfirmed, jobId] } } as const]),
        { append: "event", value: event },
      ],
      result: "adopted",
    };
  },
};

export const present: ChangeType<PresentChange, null> = {
  grows: false,

  refs: ({ jobId, key }) => [...itemRefs(jobId, key), ["facts", key]],

  decide(change, found) {
    const { key, jobId, findings, dryRun } = change;
    requireJob(found, jobId);
    if (found.get("jobItem", { ...key, jobId }) !== null) return { effects: [], result: null };
    const row = found.get("facts", key);
    const effects = withFindings(change, findings, { present: 1, quarantined: quarantinedIn(findings) });
    const republishes = row !== null && findings.length > 0 && !dryRun;
    return {
      effects: republishes ? [...effects, unpublished(key, row.version)] : effects,
      result: null,
    };
  },
};

/** Returns the effects on the job: it has processed the key, and found this. */
function withFindings(
  { jobId, key }: AdoptChange | PresentChange,
  findings: readonly StoreFinding[],
  counts: StoreCounts,
): readonly Effect[] {
  return [
    ...handled(jobId, key, null, { treated: 1, ...counts }),
    ...findings.map((value): Effect => ({ append: "finding", key: jobId, value })),
  ];
}

function quarantinedIn(findings: readonly StoreFinding[]): number {
  return findings.filter(({ kind }) => kind === "QUARANTINED").length;
}
