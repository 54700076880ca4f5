import type { Tier } from "./tiers.ts";

export const STORE_FINDING_KINDS = [
  "ADOPTED",
  "QUARANTINED",
  "NAME_REFUSED",
  "NOT_AN_ARTIFACT",
  "ORPHAN_SIDECAR",
  "TORN_SIDECAR",
  "CHECKSUM_DIFFERS",
  "TEMPORARY_FILE",
  "CHANGING",
  "UNREADABLE",
  "RETENTION_OVERRIDE",
  "DAMAGED",
  "MISSING",
  "STRAY",
  "VIEW_DIFFERS",
  "HEALED",
  "REPUBLISHED",
  "MISCOUNTED",
  "RECOUNTED",
  "OVERDUE",
] as const;

export type StoreFindingKind = (typeof STORE_FINDING_KINDS)[number];

/** One thing that a job found while it went through the store. */
export interface StoreFinding {
  readonly kind: StoreFindingKind;
  /** Below the store's root, with slashes; null: no path is concerned. */
  readonly path: string | null;
  readonly tenantId: string | null;
  readonly workflowId: string | null;
  readonly artifactId: string | null;
  readonly tier: Tier | null;
  /** What was found and what became of it, as a sentence. */
  readonly message: string;
}

const NO_PROBLEMS = [
  "ADOPTED",
  "RETENTION_OVERRIDE",
  "HEALED",
  "REPUBLISHED",
  "RECOUNTED",
] as const satisfies StoreFindingKind[];

/** False for what a job merely did or noted; true for what somebody should look at. */
export function isProblem({ kind }: Pick<StoreFinding, "kind">): boolean {
  return !(NO_PROBLEMS as readonly StoreFindingKind[]).includes(kind);
}
