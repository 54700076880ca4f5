/** Whose counters: a workflow's; a tenant's (workflowId null); those of everything (both null). */
export interface CounterOwner {
  readonly tenantId: string | null;
  readonly workflowId: string | null;
}

/** One counter, and what a full count says in its place. */
export interface UsageCorrection {
  /** What it counts, in the plural: "artifacts in HOT". */
  readonly what: string;
  readonly kept: number;
  readonly counted: number;
}

/** An owner some of whose counters are wrong, and which. */
export interface Miscount extends CounterOwner {
  readonly counters: readonly UsageCorrection[];
}
