import type { PlanBlockRange } from "../../catalog.ts";
import type { PlanStep } from "../../plan-blocks.ts";
import type { PlanBlockRow } from "../../rows.ts";
import type { Connection } from "../connection.ts";
import { keyOrderText, PLAN_BLOCK_COLUMNS, planBlockRow } from "../rows/plan-row.ts";

/** The blocks of the sealed plan of a job: those of an earlier attempt may have higher numbers. */
const BLOCKS = `FROM job j CROSS JOIN plan_block p ON p.job = j.id AND p.n <= j.blocks
  LEFT JOIN block b ON b.job = p.job AND b.n = p.n WHERE j.job = ?`;

/** Reads the plans of jobs on one connection. */
export class PlanReads {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  planBlock(jobId: string, n: number): PlanBlockRow | null {
    const cells = this.#connection
      .statement(`SELECT ${PLAN_BLOCK_COLUMNS} ${BLOCKS} AND p.n = ?`)
      .get(jobId, n);
    return cells === undefined ? null : planBlockRow(cells);
  }

  /** Within a step, the order of the numbers is the order of the keys. */
  nextPlanBlock(
    jobId: string,
    step: PlanStep,
    { after, before, backward }: PlanBlockRange,
  ): PlanBlockRow | null {
    const beyond = after === null ? "" : " AND p.last > ?";
    const within = before === null ? "" : " AND p.first < ?";
    const bounds = [after, before].flatMap((key) => (key === null ? [] : [keyOrderText(key)]));
    const cells = this.#connection
      .statement(
        `SELECT ${PLAN_BLOCK_COLUMNS} ${BLOCKS} AND p.step = ?${beyond}${within} ORDER BY p.n ${backward ? "DESC" : "ASC"} LIMIT 1`,
      )
      .get(jobId, step, ...bounds);
    return cells === undefined ? null : planBlockRow(cells);
  }

  countPlanItems(jobId: string): { readonly planned: number; readonly processed: number } {
    const cells = this.#connection
      .statement(`SELECT coalesce(sum(p.items), 0), coalesce(sum(b.position), 0) ${BLOCKS}`)
      .get(jobId);
    return { planned: cells?.[0] as number, processed: cells?.[1] as number };
  }
}
