import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { Overdue } from "../catalog/rows.ts";

const WHAT: Readonly<Record<keyof Overdue, string>> = {
  unsettled: "artifacts whose bytes have no file yet",
  unpublished: "keys whose places in the tree may be behind",
  uncollected: "objects of earlier versions that are still there",
  staged: "uploads that neither end nor are given up",
};

/** That work which follows changes has been left undone; null: none has. */
export function overdueFinding(overdue: Overdue): StoreFinding | null {
  const left = (Object.keys(WHAT) as (keyof Overdue)[]).filter((work) => overdue[work] > 0);
  if (left.length === 0) return null;
  const what = left.map((work) => `${WHAT[work]}: ${overdue[work]}`).join("; ");
  return {
    kind: "OVERDUE",
    path: null,
    tenantId: null,
    workflowId: null,
    artifactId: null,
    tier: null,
    message: `What follows a change within seconds is left undone after more than a day (${what}). The server does it by itself once nothing is in its way: look at its log, at the room that is left, and for a backup that has not ended.`,
  };
}
