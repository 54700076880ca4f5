import { ageDays } from "@tierkeep/schema/domain/ages";
import { keyOf } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { ChangeType, Found } from "../change-type.ts";
import type { AdoptBatchChange, AdoptedFile, AdoptResult, JobCounts } from "../job-changes.ts";
import { type Effect, type EventDraft, refText } from "../records.ts";
import type { ArtifactRow } from "../rows.ts";
import { counted, misplaced, scopeRefs, scopesPresent, unpublished } from "./artifact-effects.ts";
import { keyEvent } from "./artifact-event.ts";
import { advanced, requireJob } from "./jobs.ts";

export const adoptBatch: ChangeType<AdoptBatchChange, readonly AdoptResult[]> = {
  grows: ({ files }) => files.length > 0,

  refs: ({ jobId, files, present }) => [
    ["job", jobId],
    ["gate", "purge"],
    ...files.flatMap(({ key, artifact }) => [
      ["facts", key] as const,
      ["unpublished", key] as const,
      ["staged", artifact.object] as const,
      ...scopeRefs(key),
    ]),
    ...present.map(({ key }) => ["facts", key] as const),
  ],

  decide(change, found) {
    const { jobId, dryRun, files, present, advance } = change;
    const record = requireJob(found, jobId);
    const results = files.map(({ key }) => resultOf(found, key));
    const adopted = files.filter((_, index) => results[index] === "adopted");
    const rows = dryRun
      ? []
      : adopted.map((file, index) => rowOf(change, file, found, found.seq + index + 1));
    const findings = [...adopted, ...present].flatMap((one) => one.findings);
    const counts: JobCounts = {
      treated: files.length + present.length,
      adopted: adopted.length,
      present: present.length + results.filter((result) => result === "present").length,
      quarantined: findings.filter(({ kind }) => kind === "QUARANTINED").length,
    };
    return {
      effects: [
        ...distinctPuts(rows.flatMap((row) => scopesPresent(found, row))),
        ...rows.flatMap((row): readonly Effect[] => [
          { put: "artifact", key: keyOf(row), value: row },
          counted(row, 1),
          { delete: "staged", key: row.object },
          unpublished(keyOf(row), row.version),
          ...misplaced(row, change.storeIds, change.at),
          { append: "event", value: adoptionEvent(change, row) },
        ]),
        ...(rows.length === 0 ? [] : gateClosed(found, jobId)),
        ...(dryRun ? [] : republished(change, found)),
        { add: "jobCounts", key: jobId, by: counts },
        ...findings.map((value): Effect => ({ append: "finding", key: jobId, value })),
        ...(advance === null ? [] : advanced(record, advance)),
      ],
      result: results,
    };
  },
};

/**
 * The file found in the view of an unpublished key may belong to an artifact that was purged a moment ago, so
 * it is not adopted.
 */
function resultOf(found: Found, key: AdoptedFile["key"]): AdoptResult {
  if (found.get("facts", key) !== null) return "present";
  return found.get("unpublished", key) === null ? "adopted" : "passed";
}

/** @throws Refused UNAVAILABLE where the object is not staged by the owner */
function rowOf({ owner }: AdoptBatchChange, file: AdoptedFile, found: Found, version: number): ArtifactRow {
  const { key, artifact } = file;
  const staged = found.get("staged", artifact.object);
  if (staged?.owner !== owner || staged.store !== artifact.store) {
    throw new Refused(
      "UNAVAILABLE",
      "The server discarded the object of a found file before it was adopted. Run the reindex again.",
    );
  }
  return {
    ...keyOf(key),
    ...artifact,
    promotedAt: null,
    promotedFrom: null,
    damagedAt: null,
    inline: false,
    row: version,
    version,
  };
}

function adoptionEvent(change: AdoptBatchChange, row: ArtifactRow): EventDraft {
  return keyEvent("ARTIFACT_ADOPTED", change, row, {
    toTier: row.tier,
    ageDays: ageDays(row.ageSince, change.at),
    sizeBytes: row.sizeBytes,
    checksum: row.checksum,
    jobId: change.jobId,
  });
}

/** Returns the effect that disables purging until this job is confirmed. */
function gateClosed(found: Found, jobId: string): readonly Effect[] {
  const unconfirmed = found.get("gate", "purge")?.jobIds ?? [];
  if (unconfirmed.includes(jobId)) return [];
  return [{ put: "gate", key: "purge", value: { jobIds: [...unconfirmed, jobId] } }];
}

/** Returns the effects that publish again the keys in whose placement foreign files were found. */
function republished({ present }: AdoptBatchChange, found: Found): readonly Effect[] {
  return present.flatMap(({ key, findings }) => {
    const row = found.get("facts", key);
    return row === null || findings.length === 0 ? [] : [unpublished(key, row.version)];
  });
}

/** Returns the effects without those that put a record again. */
function distinctPuts(effects: readonly Extract<Effect, { readonly put: unknown }>[]): readonly Effect[] {
  return [...new Map(effects.map((effect) => [refText(effect.put, effect.key), effect])).values()];
}
