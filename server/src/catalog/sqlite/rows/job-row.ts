import type { StoreFindingKind } from "@tierkeep/schema/domain/findings";
import type { JobStatus } from "@tierkeep/schema/domain/jobs";
import type { Job, LifecycleJob, RestoreJob, VerifyJob } from "@tierkeep/schema/services/jobs";
import { jobProgress } from "../../changes/jobs.ts";
import type { JobPosition, JobRow, StoreFindingRow } from "../../rows.ts";
import type { Cell } from "../connection.ts";
import { tierName } from "./codes.ts";

/** Columns of job j and its input i, in the order that `jobRow` reads. */
export const JOB_COLUMNS = `j.job, j.kind, j.status, j.dry_run, j.started_at, j.finished_at, j.duration_seconds, j.treated,
  j.expected, j.total_errors, j.promoted_to_warm, j.promoted_to_cold, j.purged, j.restored, j.skipped, j.cancel_requested,
  j.position, j.tenant, j.actor, j.error, j.facts, i.input, j.adopted, j.present, j.quarantined, j.left_over, j.checked,
  j.checked_bytes, j.damaged, j.missing, j.stray, j.confirmed_at, j.healed, j.blocks, j.ending`;

export const JOB_COLUMN_COUNT = 35;

/** The same without the input, which may be a long list of keys. */
export const WITHOUT_INPUT = JOB_COLUMNS.replace("i.input", "NULL");

/** Returns the facts of a job that differ by kind and do not change after its start. */
export function factsOf(job: Job): object {
  switch (job.kind) {
    case "lifecycle":
      return { asOf: job.asOf, steps: job.steps, retentionPolicy: job.retentionPolicy };
    case "restore":
      return { toTier: job.toTier, tenantIds: job.tenantIds };
    case "reindex":
      return {};
    case "verify":
      return { repair: job.repair };
  }
}

export function jobRow(cells: readonly Cell[]): JobRow {
  const treated = cells[7] as number;
  const expected = cells[8] as number | null;
  return {
    job: job(cells, treated, expected),
    actor: cells[18] as string,
    cancelRequested: cells[15] === 1,
    input: JSON.parse((cells[21] as string | null) ?? "null"),
    position: JSON.parse(cells[16] as string) as JobPosition,
    expected,
    treated,
    workSeconds: (cells[6] as number | null) ?? 0,
    blocks: cells[33] as number | null,
    ending: JSON.parse((cells[34] as string | null) ?? "null"),
  };
}

function job(cells: readonly Cell[], treated: number, expected: number | null): Job {
  const status = cells[2] as JobStatus;
  const common = {
    id: cells[0] as string,
    status,
    dryRun: cells[3] === 1,
    startedAt: cells[4] as number,
    finishedAt: cells[5] as number | null,
    // Seconds of work are stored while the job runs, so that a crash does not lose them. Clients see them
    // after it has ended.
    durationSeconds: status === "RUNNING" ? null : (cells[6] as number | null),
    progress: jobProgress(status, treated, expected),
    totalErrors: cells[9] as number,
    error: cells[19] as string | null,
    tenantId: cells[17] as string | null,
  };
  const kind = cells[1] as Job["kind"];
  const facts = JSON.parse(cells[20] as string);
  switch (kind) {
    case "lifecycle":
      return {
        kind,
        ...common,
        ...(facts as Pick<LifecycleJob, "asOf" | "steps" | "retentionPolicy">),
        promotedToWarm: cells[10] as number,
        promotedToCold: cells[11] as number,
        purged: cells[12] as number,
      };
    case "restore":
      return {
        kind,
        ...common,
        // A restore from before `tenantIds` was recorded names its tenant only where there is a single one.
        tenantIds: common.tenantId === null ? null : [common.tenantId],
        ...(facts as Pick<RestoreJob, "toTier"> & Partial<Pick<RestoreJob, "tenantIds">>),
        restoredCount: cells[13] as number,
        skippedCount: cells[14] as number,
      };
    case "reindex":
      return {
        kind,
        ...common,
        adoptedCount: cells[22] as number,
        presentCount: cells[23] as number,
        quarantinedCount: cells[24] as number,
        leftCount: cells[25] as number,
        confirmedAt: cells[31] as number | null,
      };
    case "verify":
      return {
        kind,
        ...common,
        checkedCount: cells[26] as number,
        checkedBytes: cells[27] as number,
        damagedCount: cells[28] as number,
        missingCount: cells[29] as number,
        strayCount: cells[30] as number,
        repair: (facts as Partial<Pick<VerifyJob, "repair">>).repair ?? false,
        healedCount: cells[32] as number,
        quarantinedCount: cells[24] as number,
        adoptedCount: cells[22] as number,
      };
  }
}

/** Columns of finding f, in the order that `findingRow` reads. */
export const FINDING_COLUMNS =
  "f.number, f.kind, f.path, f.tenant, f.workflow, f.artifact, f.tier, f.message";

export function findingRow(cells: readonly Cell[]): StoreFindingRow {
  const tier = cells[6] as number | null;
  return {
    number: cells[0] as number,
    kind: cells[1] as StoreFindingKind,
    path: cells[2] as string | null,
    tenantId: cells[3] as string | null,
    workflowId: cells[4] as string | null,
    artifactId: cells[5] as string | null,
    tier: tier === null ? null : tierName(tier),
    message: cells[7] as string,
  };
}
