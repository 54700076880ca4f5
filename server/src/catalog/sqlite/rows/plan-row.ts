import type { ArtifactKey } from "@tierkeep/schema/domain/keys";
import type { PlanStep } from "../../plan-blocks.ts";
import type { PlanBlockRow } from "../../rows.ts";
import type { Cell } from "../connection.ts";

/** No identifier contains it, and it is before every character that one may contain. */
const SEPARATOR = "\u0001";

/** Returns a key as text that SQLite compares as `compareKeys` compares keys. */
export function keyOrderText({ tenantId, workflowId, artifactId }: ArtifactKey): string {
  return [tenantId, workflowId, artifactId].join(SEPARATOR);
}

/** Columns of plan_block p and block b, in the order that `planBlockRow` reads. */
export const PLAN_BLOCK_COLUMNS = "p.n, p.step, p.items, p.first, p.last, p.hash, p.bytes, b.outcomes";

export function planBlockRow(cells: readonly Cell[]): PlanBlockRow {
  return {
    n: cells[0] as number,
    block: {
      step: cells[1] as PlanStep,
      items: cells[2] as number,
      first: keyOf(cells[3] as string),
      last: keyOf(cells[4] as string),
      hash: cells[5] as string,
      bytes: cells[6] as Uint8Array,
    },
    outcomes: JSON.parse((cells[7] as string | null) ?? "[]"),
  };
}

function keyOf(text: string): ArtifactKey {
  const [tenantId = "", workflowId = "", artifactId = ""] = text.split(SEPARATOR);
  return { tenantId, workflowId, artifactId };
}
