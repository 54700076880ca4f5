import type { PlanBlock } from "../../plan-blocks.ts";
import type { Block, BlockKey } from "../../records.ts";
import type { Connection } from "../connection.ts";
import { keyOrderText } from "../rows/plan-row.ts";

/** Reads and writes the plans of jobs, for a writer. */
export class PlanWrites {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  putPlanBlock({ jobId, n }: BlockKey, { step, items, first, last, hash, bytes }: PlanBlock): void {
    const job = this.#connection
      .statement("UPDATE job SET has_items = 1 WHERE job = ? RETURNING id")
      .get(jobId)?.[0] as number;
    this.#connection
      .statement("INSERT OR REPLACE INTO plan_block VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      .run(job, n, step, items, keyOrderText(first), keyOrderText(last), hash, bytes);
  }

  block({ jobId, n }: BlockKey): Block | null {
    const row = this.#connection
      .statement(
        "SELECT b.outcomes FROM job j CROSS JOIN block b ON b.job = j.id AND b.n = ? WHERE j.job = ?",
      )
      .get(n, jobId);
    return row === undefined ? null : { outcomes: JSON.parse(row[0] as string) };
  }

  putBlock({ jobId, n }: BlockKey, { outcomes }: Block): void {
    this.#connection
      .statement("INSERT OR REPLACE INTO block VALUES ((SELECT id FROM job WHERE job = ?), ?, ?, ?)")
      .run(jobId, n, outcomes.length, JSON.stringify(outcomes));
  }
}
