import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { REFUSALS } from "@tierkeep/schema/domain/refusals";
import type { Outcome } from "../changes.ts";
import type { IdempotencyKey } from "../idempotency.ts";

/** How long an answer counts, in ms. */
export const ANSWER_LIFETIME_MS = DAY_MS;

/** What was answered to the first change of a key, and when. */
export interface StoredAnswer {
  readonly fingerprint: string;
  readonly at: number;
  readonly outcome: Outcome;
}

/** What a change is answered without being made; null: it is to be made. */
export function decideRetry(remembered: StoredAnswer | null, once: IdempotencyKey): Outcome | null {
  if (remembered === null || !counts(remembered, once.at)) return null;
  if (remembered.fingerprint === once.fingerprint) return remembered.outcome;
  return {
    ok: false,
    refusal: {
      code: "CONFLICT",
      message:
        "This idempotency key came with another request within the last 24 hours. Give each change a key of its own, and repeat a change exactly as it was.",
      facts: { argument: "idempotencyKey" },
    },
  };
}

export function counts(remembered: { readonly at: number }, now: number): boolean {
  return now - remembered.at <= ANSWER_LIFETIME_MS;
}

/** Not so what may turn out otherwise the next time although nobody changes the request: a confirmation lifts HELD. */
export function isAnswerValid(outcome: Outcome): boolean {
  if (outcome.ok) return true;
  const { code } = outcome.refusal;
  return code !== "INTERNAL" && code !== "HELD" && !REFUSALS[code].retryable;
}
