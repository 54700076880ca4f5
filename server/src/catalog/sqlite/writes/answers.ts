import { isWithinLifetime } from "../../commit/retry.ts";
import type { IdempotencyKey } from "../../idempotency.ts";
import type { AnswerKey, Outcome, StoredAnswer } from "../../records.ts";
import type { SweepAnswersChange } from "../../upkeep-changes.ts";
import type { Connection } from "../connection.ts";

/** Reads the stored answers to changes with an idempotency key, on one connection. */
export class AnswerReads {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  hasAnswer({ actor, key, at }: Pick<IdempotencyKey, "actor" | "key" | "at">): boolean {
    const cells = this.#connection
      .statement("SELECT at FROM answer WHERE idempotency_key = ? AND actor = ?")
      .get(key, actor);
    return cells !== undefined && isWithinLifetime({ at: cells[0] as number }, at);
  }

  oldestAnswer(): number | null {
    return this.#connection.statement("SELECT min(at) FROM answer").get()?.[0] as number | null;
  }
}

/** Stores the answers to changes with an idempotency key, for a writer. */
export class AnswerWrites {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  find({ key, actor }: AnswerKey): StoredAnswer | null {
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

  /** Replaces an answer that is no longer valid. */
  keep({ actor, key }: AnswerKey, { at, fingerprint, outcome }: StoredAnswer): void {
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
