import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { Miscount } from "../catalog/miscounts.ts";

/** Told of at once: each time everything is counted. */
export const MISCOUNTS_AT_ONCE = 1000;

/** That somebody's counters are wrong. */
export function miscounted(miscount: Miscount): StoreFinding {
  return {
    kind: "MISCOUNTED",
    ...about(miscount),
    message: `What the catalog counts of ${whose(miscount)} is wrong (${figures(miscount)}). A repair (tierkeep doctor --repair) counts it anew.`,
  };
}

/** That they were, and are set right. */
export function recounted(miscount: Miscount): StoreFinding {
  return {
    kind: "RECOUNTED",
    ...about(miscount),
    message: `What the catalog counts of ${whose(miscount)} was wrong (${figures(miscount)}). It is counted anew.`,
  };
}

function about({ tenantId, workflowId }: Miscount) {
  return { path: null, tenantId, workflowId, artifactId: null, tier: null };
}

function whose({ tenantId, workflowId }: Miscount): string {
  return [tenantId, workflowId].filter((name) => name !== null).join("/") || "the whole store";
}

function figures({ counters }: Miscount): string {
  return counters.map(({ what, kept, counted }) => `${what}: ${kept}, and there are ${counted}`).join("; ");
}
