import type { Job } from "@tierkeep/schema/services/jobs";
import type { ChangeType, Found } from "../change-type.ts";
import type { JobCounts, RunBatchChange } from "../job-changes.ts";
import type { PlannedItem } from "../plan-blocks.ts";
import type { Effect } from "../records.ts";
import type { ItemFailure, ItemOutcome } from "../rows.ts";
import { failedItem, lifecycleItem, restoredItem, type Taken } from "./batch-items.ts";
import { closedGate } from "./purge.ts";

export const runBatch: ChangeType<RunBatchChange, readonly ItemOutcome[] | null> = {
  grows: ({ step }) => step !== "PURGE",

  refs: ({ jobId, n, step, items }) => [
    ["job", jobId],
    ["block", { jobId, n }],
    ...(step === "PURGE" ? [["gate", "purge"] as const] : []),
    // Only a purge depends on metadata: it may forbid it.
    ...items.map((item) => [step === "PURGE" ? "artifact" : "facts", item] as const),
  ],

  decide(change, found) {
    const { jobId, n, step, from, items, durationSeconds } = change;
    const record = found.get("job", jobId);
    const kind = step === "RESTORE" ? "restore" : "lifecycle";
    const outcomes = found.get("block", { jobId, n })?.outcomes ?? [];
    const isLive = record?.job.status === "RUNNING" && record.job.kind === kind && !record.job.dryRun;
    if (!isLive || outcomes.length !== from) return { effects: [], result: null };
    const gate = step === "PURGE" ? found.get("gate", "purge") : null;
    if (gate !== null) throw closedGate(gate);
    const effects: Effect[] = [];
    const results: ItemOutcome[] = [];
    const counts: Record<string, number> = {};
    let seq = found.seq;
    for (const [index, item] of items.entries()) {
      const taken = takeItem(change, item, record.job, change.failed[index], found, seq + 1);
      for (const effect of taken.effects) {
        if ("append" in effect && effect.append === "event") seq += 1;
        effects.push(effect);
      }
      for (const [name, by] of Object.entries(taken.counts)) counts[name] = (counts[name] ?? 0) + by;
      results.push(taken.outcome);
    }
    return {
      effects: [
        ...effects,
        { put: "block", key: { jobId, n }, value: { outcomes: [...outcomes, ...results] } },
        { put: "job", key: jobId, value: { ...record, workSeconds: durationSeconds } },
        { add: "jobCounts", key: jobId, by: { ...counts, treated: items.length } satisfies JobCounts },
      ],
      result: results,
    };
  },
};

/** @param version of the artifact once it is processed */
function takeItem(
  change: RunBatchChange,
  item: PlannedItem,
  job: Job,
  failure: ItemFailure | undefined,
  found: Found,
  version: number,
): Taken {
  if (failure !== undefined) return failedItem(change, item, job, failure);
  if (job.kind === "restore") return restoredItem(change, item, job, found, version);
  if (job.kind === "lifecycle" && change.step !== "RESTORE")
    return lifecycleItem(change, change.step, item, job, found, version);
  throw new Error("A job of this kind has no plan.");
}
