import { STEP_RULES } from "@tierkeep/schema/domain/policy";
import type { ChangeType } from "../change-type.ts";
import type { BlockPurgesChange, SealPlanChange, StorePlanChange } from "../job-changes.ts";
import { eventOf } from "./event-of.ts";

export const storePlan: ChangeType<StorePlanChange, null> = {
  // With only the space reserve left, a run plans its purges, which free space.
  grows: ({ block }) => block.step !== "PURGE",

  refs: ({ jobId }) => [["job", jobId]],

  decide({ jobId, n, block }, found) {
    const record = found.get("job", jobId);
    const open = record?.job.status === "RUNNING" && record.blocks === null;
    return { effects: open ? [{ put: "planBlock", key: { jobId, n }, value: block }] : [], result: null };
  },
};

export const sealPlan: ChangeType<SealPlanChange, null> = {
  grows: false,

  refs: ({ jobId }) => [["job", jobId]],

  decide({ jobId, blocks, items, counts, ending, durationSeconds }, found) {
    const record = found.get("job", jobId);
    if (record?.job.status !== "RUNNING" || record.blocks !== null) return { effects: [], result: null };
    const value = { ...record, blocks, expected: items, ending, workSeconds: durationSeconds };
    return {
      effects: [
        { put: "job", key: jobId, value },
        { add: "jobCounts", key: jobId, by: counts },
      ],
      result: null,
    };
  },
};

export const blockPurges: ChangeType<BlockPurgesChange, null> = {
  grows: false,

  refs: ({ jobId }) => [["job", jobId]],

  decide(change, found) {
    const { jobId, errorCode, error } = change;
    const record = found.get("job", jobId);
    if (record?.job.status !== "RUNNING" || record.ending !== null) return { effects: [], result: null };
    const { tenantId, dryRun } = record.job;
    const event = eventOf("LIFECYCLE_STEP_FAILED", change, {
      tenantId,
      fromTier: STEP_RULES.PURGE.from,
      dryRun,
      jobId,
      errorCode,
      error,
    });
    return {
      effects: [
        { put: "job", key: jobId, value: { ...record, ending: { status: "BLOCKED", errorCode, error } } },
        { append: "event", value: event },
      ],
      result: null,
    };
  },
};
