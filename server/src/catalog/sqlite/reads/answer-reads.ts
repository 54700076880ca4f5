import { counts } from "../../decide/decide-retry.ts";
import type { IdempotencyKey } from "../../idempotency.ts";
import type { Connection } from "../connection.ts";

/** Reads of what was answered to changes that may be repeated, on one connection. */
export class AnswerReads {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  hasAnswer({ actor, key, at }: Pick<IdempotencyKey, "actor" | "key" | "at">): boolean {
    const cells = this.#connection
      .statement("SELECT at FROM answer WHERE idempotency_key = ? AND actor = ?")
      .get(key, actor);
    return cells !== undefined && counts({ at: cells[0] as number }, at);
  }

  oldestAnswer(): number | null {
    return this.#connection.statement("SELECT min(at) FROM answer").get()?.[0] as number | null;
  }
}
