import { randomBytes } from "node:crypto";
import type { RetentionPolicy } from "@tierkeep/schema/domain/policy";
import type { Tier } from "@tierkeep/schema/domain/tiers";
import type { LifecycleJob, ReindexJob, RestoreJob, VerifyJob } from "@tierkeep/schema/services/jobs";
import { type LifecycleInput, type RestoreInput, tenantOf, tenantsOf } from "./job-input.ts";

export type NewJobFacts = ReturnType<typeof newFacts>;

/** Returns the fields that all new jobs have. `startedAt`: ms since the epoch. */
export function newFacts(startedAt: number, dryRun: boolean) {
  return {
    id: randomBytes(16).toString("hex"),
    status: "RUNNING" as const,
    dryRun,
    startedAt,
    finishedAt: null,
    durationSeconds: null,
    progress: 0,
    totalErrors: 0,
    error: null,
  };
}

export function newLifecycleJob(
  facts: NewJobFacts,
  { tenantId, asOf, steps }: LifecycleInput,
  { hotDays, warmDays, coldDays }: RetentionPolicy,
): LifecycleJob {
  return {
    kind: "lifecycle",
    ...facts,
    tenantId,
    asOf: asOf ?? facts.startedAt,
    steps,
    promotedToWarm: 0,
    promotedToCold: 0,
    purged: 0,
    retentionPolicy: { hotDays, warmDays, coldDays },
  };
}

export function newRestoreJob(facts: NewJobFacts, input: RestoreInput, toTier: Tier): RestoreJob {
  return {
    kind: "restore",
    ...facts,
    tenantId: tenantOf(input),
    tenantIds: tenantsOf(input),
    toTier,
    restoredCount: 0,
    skippedCount: 0,
  };
}

export function newReindexJob(facts: NewJobFacts): ReindexJob {
  return {
    kind: "reindex",
    ...facts,
    tenantId: null,
    adoptedCount: 0,
    presentCount: 0,
    quarantinedCount: 0,
    leftCount: 0,
    confirmedAt: null,
  };
}

export function newVerifyJob(facts: NewJobFacts, tenantId: string | null, repair: boolean): VerifyJob {
  return {
    kind: "verify",
    ...facts,
    tenantId,
    checkedCount: 0,
    checkedBytes: 0,
    damagedCount: 0,
    missingCount: 0,
    strayCount: 0,
    repair,
    healedCount: 0,
    quarantinedCount: 0,
    adoptedCount: 0,
  };
}
