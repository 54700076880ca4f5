import type { StoreFinding } from "@tierkeep/schema/domain/findings";
import type { Miscount } from "../catalog/miscounts.ts";

/** Wrong counters reported per query. Each query counts the complete store. */
export const MISCOUNTS_AT_ONCE = 1000;

/** Returns the finding for wrong usage counters of an owner. */
export function miscounted(miscount: Miscount): StoreFinding {
  return {
    kind: "MISCOUNTED",
    ...about(miscount),
    message: `The catalog's usage counters of ${whose(miscount)} are wrong (${figures(miscount)}). A repair (tierkeep doctor --repair) corrects them.`,
  };
}

/** Returns the finding for usage counters that were corrected. */
export function recounted(miscount: Miscount): StoreFinding {
  return {
    kind: "RECOUNTED",
    ...about(miscount),
    message: `The catalog's usage counters of ${whose(miscount)} were wrong (${figures(miscount)}). They are corrected.`,
  };
}

function about({ tenantId, workflowId }: Miscount) {
  return { path: null, tenantId, workflowId, artifactId: null, tier: null };
}

function whose({ tenantId, workflowId }: Miscount): string {
  return [tenantId, workflowId].filter((name) => name !== null).join("/") || "the whole store";
}

function figures({ counters }: Miscount): string {
  return counters.map(({ what, kept, counted }) => `${what}: ${kept} instead of ${counted}`).join("; ");
}
