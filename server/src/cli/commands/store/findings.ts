import { isProblem, STORE_FINDING_KINDS, type StoreFindingKind } from "@tierkeep/schema/domain/findings";
import { REFUSALS } from "@tierkeep/schema/domain/refusals";
import type { StoreFindingFragment } from "@tierkeep/sdk";
import type { Output } from "../../output/output.ts";
import type { Column } from "../../output/table.ts";

const COLUMNS: readonly Column[] = [
  { head: "what" },
  { head: "where", narrow: "shorten" },
  { head: "what became of it" },
];

/** Bytes that are not, or may not be, the ones that were written. */
const DAMAGE: readonly string[] = ["DAMAGED", "MISSING", "CHECKSUM_DIFFERS"] satisfies StoreFindingKind[];

export interface Found {
  /** 7: bytes are damaged; 4: another problem is left; 0: none. */
  readonly exit: number;
  /** Problems that are left and are neither damage nor strays. */
  readonly otherCount: number;
  /** Artifacts whose place in the tree was made right. */
  readonly republishedCount: number;
}

/** Lists what a job found in the store. What is healed, or of a kind in `mended`, is no problem that is left. */
export async function showFindings(
  findings: AsyncIterable<StoreFindingFragment>,
  output: Output,
  signal: AbortSignal,
  mended: readonly StoreFindingKind[] = [],
): Promise<Found> {
  /** What each artifact, or path of none, that is left deserves. */
  const left = new Map<string, number>();
  const others = new Set<string>();
  const republished = new Set<string>();
  await output.list(
    COLUMNS,
    findings,
    ({ kind, path, tenantId, workflowId, artifactId, message }) => {
      const problem = !isKnown(kind) || (isProblem({ kind }) && !mended.includes(kind));
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
        path ?? (key || "the whole store"),
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

/** A later server may know more kinds. */
function isKnown(kind: string): kind is StoreFindingKind {
  return (STORE_FINDING_KINDS as readonly string[]).includes(kind);
}
