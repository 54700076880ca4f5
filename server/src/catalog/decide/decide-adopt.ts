import { ageDays } from "@tierkeep/schema/domain/ages";
import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { ResultOf } from "../changes.ts";
import type { AdoptChange, PresentChange } from "../job-changes.ts";
import type { StagedObject } from "../records.ts";
import type { ArtifactRow } from "../rows.ts";
import { keyEvent } from "./artifact-event.ts";
import { type Decision, decision } from "./decision.ts";

/** What the catalog knows about a key and an object that a reindex has found. */
export interface KnownOfAdopted {
  /** The job has processed this key already. */
  readonly repeated: boolean;
  /**
   * The key is unpublished: the file found in its view may belong to an artifact that was purged a moment
   * ago.
   */
  readonly dirty: boolean;
  readonly staged: StagedObject | null;
}

/** @throws Refused */
export function decideAdopt(
  current: ArtifactRow | null,
  known: KnownOfAdopted,
  change: AdoptChange,
): Decision<ResultOf<AdoptChange>> {
  const { key, jobId, artifact, dryRun, findings } = change;
  if (known.repeated) return decision({ result: () => "repeated" });
  if (current !== null) return counted(jobId, [], { present: 1 }, "present");
  if (known.dirty) return counted(jobId, [], {}, "passed");
  const counts = { adopted: 1, quarantined: quarantinedIn(findings) };
  if (dryRun) return counted(jobId, findings, counts, "adopted");
  if (known.staged?.owner !== change.owner || known.staged.store !== artifact.store) {
    throw new Refused(
      "UNAVAILABLE",
      "The server discarded the object of the found file before it was adopted. Run the reindex again.",
    );
  }
  return {
    ...counted(jobId, findings, counts, "adopted"),
    row: {
      kind: "put",
      row: {
        tenantId: key.tenantId,
        workflowId: key.workflowId,
        artifactId: key.artifactId,
        ...artifact,
        promotedAt: null,
        promotedFrom: null,
        damagedAt: null,
        inline: false,
      },
    },
    event: keyEvent("ARTIFACT_ADOPTED", change, key, {
      toTier: artifact.tier,
      ageDays: ageDays(artifact.ageSince, change.at),
      sizeBytes: artifact.sizeBytes,
      checksum: artifact.checksum,
      jobId,
    }),
    unstage: artifact.object,
  };
}

export function decidePresent(
  current: ArtifactRow | null,
  repeated: boolean,
  change: PresentChange,
): Decision<null> {
  if (repeated) return decision({ result: () => null });
  const { jobId, findings, dryRun } = change;
  return {
    ...counted(jobId, findings, { present: 1, quarantined: quarantinedIn(findings) }, null),
    republish: current !== null && findings.length > 0 && !dryRun,
  };
}

function counted<R>(
  jobId: string,
  findings: readonly StoreFinding[],
  counts: NonNullable<Decision<R>["found"]>["counts"],
  result: R,
): Decision<R> {
  return decision({
    job: { id: jobId, progress: { treated: 1 } },
    found: { jobId, findings, counts },
    result: () => result,
  });
}

function quarantinedIn(findings: readonly StoreFinding[]): number {
  return findings.filter(({ kind }) => kind === "QUARANTINED").length;
}
