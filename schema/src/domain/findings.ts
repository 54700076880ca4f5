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

/** One finding of a job that scans the store. */
export interface StoreFinding {
  readonly kind: StoreFindingKind;
  /** Path below the store's root, with slashes; null if the finding has no path. */
  readonly path: string | null;
  readonly tenantId: string | null;
  readonly workflowId: string | null;
  readonly artifactId: string | null;
  readonly tier: Tier | null;
  /** The problem or the work done, as a sentence. */
  readonly message: string;
}

const NO_PROBLEMS = [
  "ADOPTED",
  "RETENTION_OVERRIDE",
  "HEALED",
  "REPUBLISHED",
  "RECOUNTED",
] as const satisfies StoreFindingKind[];

/**
 * Returns true for a problem that an operator should look at; false for a note, or for work that the job did.
 */
export function isProblem({ kind }: Pick<StoreFinding, "kind">): boolean {
  return !(NO_PROBLEMS as readonly StoreFindingKind[]).includes(kind);
}
