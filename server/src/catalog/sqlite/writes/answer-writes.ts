import type { Outcome } from "../../changes.ts";
import type { StoredAnswer } from "../../decide/decide-retry.ts";
import type { IdempotencyKey } from "../../idempotency.ts";
import type { SweepAnswersChange } from "../../upkeep-changes.ts";
import type { Connection } from "../connection.ts";

/** What was answered to changes that may be repeated, for a writer. */
export class AnswerWrites {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  find({ key, actor }: IdempotencyKey): StoredAnswer | null {
    const cells = this.#connection
      .statement("SELECT at, fingerprint, outcome FROM answer WHERE idempotency_key = ? AND actor = ?")
      .get(key, actor);
    if (cells === undefined) return null;
    return {
      at: cells[0] as number,
      fingerprint: cells[1] as string,
      outcome: JSON.parse(cells[2] as string) as Outcome,
    };
  }

  /** In place of one that counts no more. */
  keep({ at, actor, key, fingerprint }: IdempotencyKey, outcome: Outcome): void {
    this.#connection
      .statement(
        "INSERT OR REPLACE INTO answer (at, actor, idempotency_key, fingerprint, outcome) VALUES (?, ?, ?, ?, ?)",
      )
      .run(at, actor, key, fingerprint, JSON.stringify(outcome));
  }

  forget({ before, limit }: SweepAnswersChange): number {
    return this.#connection
      .statement("DELETE FROM answer WHERE id IN (SELECT id FROM answer WHERE at < ? ORDER BY at LIMIT ?)")
      .run(before, limit);
  }
}
