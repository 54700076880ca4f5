import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { Overdue } from "../catalog/rows.ts";

const WHAT: Readonly<Record<keyof Overdue, string>> = {
  unsettled: "artifacts whose bytes are not stored as an object yet",
  unpublished: "keys whose files in the tree may be outdated",
  uncollected: "objects of earlier versions that are not collected yet",
  staged: "uploads that are neither completed nor abandoned",
};

/** Returns the finding for background work that is overdue. Null if none is. */
export function overdueFinding(overdue: Overdue): StoreFinding | null {
  const overdueWork = (Object.keys(WHAT) as (keyof Overdue)[]).filter((work) => overdue[work] > 0);
  if (overdueWork.length === 0) return null;
  const what = overdueWork.map((work) => `${WHAT[work]}: ${overdue[work]}`).join("; ");
  return {
    kind: "OVERDUE",
    path: null,
    tenantId: null,
    workflowId: null,
    artifactId: null,
    tier: null,
    message: `Background work that normally takes seconds has been pending for more than a day (${what}). It needs no repair: the server does it as soon as nothing blocks it. Check the server's log, the free space, whether every store is configured, and whether a backup is still running.`,
  };
}
