/** The owner of counters: a workflow, a tenant (workflowId null) or the total (both null). */
export interface CounterOwner {
  readonly tenantId: string | null;
  readonly workflowId: string | null;
}

/** One wrong counter, and its value by a full count. */
export interface UsageCorrection {
  /** What the counter counts, in the plural: "artifacts in HOT". */
  readonly what: string;
  readonly kept: number;
  readonly counted: number;
}

/** An owner with wrong counters. */
export interface Miscount extends CounterOwner {
  readonly counters: readonly UsageCorrection[];
}
