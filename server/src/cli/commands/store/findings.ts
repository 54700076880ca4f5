import { isProblem, STORE_FINDING_KINDS, type StoreFindingKind } from "@tierkeep/schema/domain/findings";
import { REFUSALS } from "@tierkeep/schema/domain/refusals";
import type { StoreFindingFragment } from "@tierkeep/sdk";
import type { Output } from "../../output/output.ts";
import type { Column } from "../../output/table.ts";

const COLUMNS: readonly Column[] = [
  { head: "what" },
  { head: "where", narrow: "shorten" },
  { head: "details" },
];

/** Kinds of findings in which bytes differ, or may differ, from those that were written. */
const DAMAGE: readonly string[] = ["DAMAGED", "MISSING", "CHECKSUM_DIFFERS"] satisfies StoreFindingKind[];

export interface FindingsSummary {
  /** Exit code. 7: damaged bytes; 4: another problem is left; 0: none. */
  readonly exit: number;
  /** Number of remaining problems that are neither damage nor unknown files. */
  readonly otherCount: number;
  /** Number of artifacts whose files in the published tree were corrected. */
  readonly republishedCount: number;
}

/** Lists the findings of a job. A recovered artifact, or a finding of a kind in `repaired`, is no remaining problem. */
export async function showFindings(
  findings: AsyncIterable<StoreFindingFragment>,
  output: Output,
  signal: AbortSignal,
  repaired: readonly StoreFindingKind[] = [],
): Promise<FindingsSummary> {
  /** Exit code by artifact, or by path if there is no artifact, for the remaining problems. */
  const left = new Map<string, number>();
  const others = new Set<string>();
  const republished = new Set<string>();
  await output.list(
    COLUMNS,
    findings,
    ({ kind, path, tenantId, workflowId, artifactId, message }) => {
      const problem = !isKnown(kind) || (isProblem({ kind }) && !repaired.includes(kind));
      const key = [tenantId, workflowId, artifactId].filter((name) => name !== null).join("/");
      const about = key || (path ?? "");
      if (problem && !DAMAGE.includes(kind) && kind !== "STRAY") others.add(path ?? about);
      if (kind === "REPUBLISHED") republished.add(about);
      if (kind === "HEALED") left.delete(about);
      else if (DAMAGE.includes(kind)) left.set(about, REFUSALS.CHECKSUM_MISMATCH.exit);
      else if (problem) left.set(about, left.get(about) ?? REFUSALS.CONFLICT.exit);
      const what = kind.toLowerCase().replaceAll("_", " ");
      return [
        problem ? { text: what, style: output.style.red } : what,
        path ?? (key || "the store"),
        message,
      ];
    },
    signal,
  );
  return {
    exit: Math.max(0, ...new Set(left.values())),
    otherCount: others.size,
    republishedCount: republished.size,
  };
}

/** False for a kind that only a newer server knows. */
function isKnown(kind: string): kind is StoreFindingKind {
  return (STORE_FINDING_KINDS as readonly string[]).includes(kind);
}
