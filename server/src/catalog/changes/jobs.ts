import { isDeepStrictEqual } from "node:util";
import type { EventJob } from "@tierkeep/schema/domain/events";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Job } from "@tierkeep/schema/services/jobs";
import type { ChangeType, Found } from "../change-type.ts";
import type {
  AdvanceJobChange,
  ConfirmReindexChange,
  FinishJobChange,
  JobAdvance,
  RequestCancelChange,
  StartJobChange,
  StartJobResult,
} from "../job-changes.ts";
import type { Effect, EventDraft, JobRecord, LiveJobKey } from "../records.ts";
import type { JobEnding } from "../rows.ts";
import { eventOf } from "./event-of.ts";

const JOB_NAMES: Record<Job["kind"], string> = {
  lifecycle: "lifecycle run",
  restore: "restore",
  reindex: "reindex",
  verify: "verification",
};

/**
 * Returns the key of the live jobs that run one at a time; null: any number. Verifications run one per tenant,
 * and one of the complete store.
 */
function liveKey({ kind, dryRun, tenantId }: Job): LiveJobKey | null {
  if (dryRun || kind === "restore") return null;
  return kind === "verify" ? `verify/${tenantId ?? ""}` : kind;
}

/** What is stored with a job that has done nothing yet. */
export const UNSTARTED = {
  position: null,
  cancelRequested: false,
  workSeconds: 0,
  blocks: null,
  ending: null,
} as const;

export const startJob: ChangeType<StartJobChange, StartJobResult> = {
  grows: false,

  refs({ job }) {
    const live = liveKey(job);
    return live === null
      ? [["job", job.id]]
      : [
          ["job", job.id],
          ["liveJob", live],
        ];
  },

  decide(change, found) {
    const { job, input, expected, actor } = change;
    if (found.get("job", job.id) !== null) return { effects: [], result: { jobId: job.id, started: true } };
    const live = liveKey(job);
    const running = live === null ? null : found.get("liveJob", live);
    if (running !== null && job.kind === "lifecycle" && isDeepStrictEqual(running.input, input)) {
      return { effects: [], result: { jobId: running.jobId, started: false } };
    }
    if (running !== null) {
      const what =
        job.kind === "verify" && job.tenantId !== null ? "verification of this tenant" : JOB_NAMES[job.kind];
      throw new Refused(
        "CONFLICT",
        `Another ${what} is running, and only one can run at a time. Wait until it has finished, or cancel it.`,
        { jobId: running.jobId },
      );
    }
    const value = { ...UNSTARTED, job, actor, expected };
    const event = { ...jobEvent("LIFECYCLE_JOB_STARTED", change, job), job: startedJob(job) };
    return {
      effects: [
        { put: "job", key: job.id, value },
        { put: "jobInput", key: job.id, value: input ?? null },
        ...(live === null ? [] : [{ put: "liveJob", key: live, value: { jobId: job.id, input } } as const]),
        { append: "event", value: event },
      ],
      result: { jobId: job.id, started: true },
    };
  },
};

export const advanceJob: ChangeType<AdvanceJobChange, null> = {
  grows: false,

  refs: ({ jobId }) => [["job", jobId]],

  decide(change, found) {
    const record = found.get("job", change.jobId);
    return { effects: record === null ? [] : advanced(record, change), result: null };
  },
};

/** Returns the effects of storing a job's position. A job that has ended keeps its own. */
export function advanced(record: JobRecord, advance: JobAdvance): readonly Effect[] {
  const { position, durationSeconds, expected = record.expected, found } = advance;
  const { id } = record.job;
  const value = { ...record, position, workSeconds: durationSeconds, expected };
  return [
    ...(record.job.status === "RUNNING" ? [{ put: "job", key: id, value } as const] : []),
    ...(found?.findings ?? []).map((finding): Effect => ({ append: "finding", key: id, value: finding })),
    ...(found === undefined
      ? []
      : [{ add: "jobCounts", key: id, by: { ...found.counts, treated: found.treated } } as const]),
  ];
}

/** @throws Refused NOT_FOUND */
export function requireJob(found: Found, jobId: string): JobRecord {
  const record = found.get("job", jobId);
  if (record === null) throw new Refused("NOT_FOUND", "There is no job with this id.");
  return record;
}

export const requestCancel: ChangeType<RequestCancelChange, null> = {
  grows: false,

  refs: ({ jobId }) => [["job", jobId]],

  decide({ jobId }, found) {
    const record = found.get("job", jobId);
    if (record?.job.status !== "RUNNING") return { effects: [], result: null };
    return {
      effects: [{ put: "job", key: jobId, value: { ...record, cancelRequested: true } }],
      result: null,
    };
  },
};

export const finishJob: ChangeType<FinishJobChange, null> = {
  grows: false,

  refs: ({ jobId }) => [
    ["job", jobId],
    ["jobCounts", jobId],
  ],

  decide(change, found) {
    const { jobId, status, at, durationSeconds, error } = change;
    const record = found.get("job", jobId);
    if (record?.job.status !== "RUNNING") return { effects: [], result: null };
    const { job } = record;
    const counts = found.get("jobCounts", jobId) ?? {};
    const event = {
      ...jobEvent("LIFECYCLE_JOB_COMPLETED", change, job, change),
      job: { ...startedJob(job), status, counts, durationSeconds },
    };
    const value = { ...record, job: { ...job, status, finishedAt: at, error }, workSeconds: durationSeconds };
    const live = liveKey(job);
    return {
      effects: [
        { put: "job", key: jobId, value },
        ...(live === null ? [] : [{ delete: "liveJob", key: live } as const]),
        { append: "event", value: event },
      ],
      result: null,
    };
  },
};

export const confirmReindex: ChangeType<ConfirmReindexChange, null> = {
  grows: false,

  refs: ({ jobId }) => [
    ["job", jobId],
    ["gate", "purge"],
  ],

  decide(change, found) {
    const { jobId, at } = change;
    const record = found.get("job", jobId);
    if (record?.job.kind !== "reindex") return { effects: [], result: null };
    const { job } = record;
    if (job.dryRun || job.status === "RUNNING" || job.confirmedAt !== null)
      return { effects: [], result: null };
    const jobIds = (found.get("gate", "purge")?.jobIds ?? []).filter((id) => id !== jobId);
    return {
      effects: [
        { put: "job", key: jobId, value: { ...record, job: { ...job, confirmedAt: at } } },
        jobIds.length === 0
          ? { delete: "gate", key: "purge" }
          : { put: "gate", key: "purge", value: { jobIds } },
        { append: "event", value: jobEvent("REINDEX_CONFIRMED", change, job) },
      ],
      result: null,
    };
  },
};

/** Returns the progress of a job, 0 to 1. */
export function jobProgress(status: Job["status"], treated: number, expected: number | null): number {
  if (status === "SUCCEEDED") return 1;
  return expected === null || expected === 0 ? 0 : Math.min(1, treated / expected);
}

/** Returns an event about a job, not about one of its artifacts. */
export function jobEvent(
  type: "LIFECYCLE_JOB_STARTED" | "LIFECYCLE_JOB_COMPLETED" | "REINDEX_CONFIRMED",
  stamp: { readonly at: number; readonly actor: string },
  job: Job,
  ended: Pick<JobEnding, "errorCode" | "error"> = { errorCode: null, error: null },
): EventDraft {
  return eventOf(type, stamp, {
    tenantId: job.tenantId,
    toTier: job.kind === "restore" ? job.toTier : null,
    dryRun: job.dryRun,
    jobId: job.id,
    errorCode: ended.errorCode,
    error: ended.error,
  });
}

/** Returns the facts in the event that starts a job. */
function startedJob(job: Job): EventJob {
  const { kind } = job;
  switch (kind) {
    case "lifecycle":
      return {
        kind,
        status: null,
        asOf: job.asOf,
        steps: job.steps,
        retentionPolicy: job.retentionPolicy,
      };
    case "restore":
      return { kind, status: null, toTier: job.toTier };
    case "verify":
      return { kind, status: null, repair: job.repair };
    case "reindex":
      return { kind, status: null };
  }
}

/** Returns the job's current counters by their names in the API. */
export function jobCounts(job: Job): Record<string, number> {
  const { totalErrors } = job;
  switch (job.kind) {
    case "lifecycle": {
      const { promotedToWarm, promotedToCold, purged } = job;
      return { promotedToWarm, promotedToCold, purged, totalErrors };
    }
    case "restore": {
      const { restoredCount, skippedCount } = job;
      return { restoredCount, skippedCount, totalErrors };
    }
    case "reindex": {
      const { adoptedCount, presentCount, quarantinedCount, leftCount } = job;
      return { adoptedCount, presentCount, quarantinedCount, leftCount, totalErrors };
    }
    case "verify": {
      const { checkedCount, checkedBytes, damagedCount, missingCount, strayCount } = job;
      const { healedCount, quarantinedCount, adoptedCount } = job;
      const found = { checkedCount, checkedBytes, damagedCount, missingCount, strayCount };
      return { ...found, healedCount, quarantinedCount, adoptedCount, totalErrors };
    }
  }
}
