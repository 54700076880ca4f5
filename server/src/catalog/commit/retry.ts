import { DAY_MS } from "@tierkeep/schema/domain/ages";
import { REFUSALS } from "@tierkeep/schema/domain/refusals";
import type { IdempotencyKey } from "../idempotency.ts";
import type { Outcome, StoredAnswer } from "../records.ts";

/** How long a stored answer is valid, ms. */
export const ANSWER_LIFETIME_MS = DAY_MS;

/**
 * Returns the stored outcome of an earlier attempt, or CONFLICT if that attempt was a different request.
 * Null: no valid outcome is stored, so the change must be made.
 */
export function decideRetry(remembered: StoredAnswer | null, once: IdempotencyKey): Outcome | null {
  if (remembered === null || !isWithinLifetime(remembered, once.at)) return null;
  if (remembered.fingerprint === once.fingerprint) return remembered.outcome;
  return {
    ok: false,
    refusal: {
      code: "CONFLICT",
      message:
        "This idempotency key was used for a different request within the last 24 hours. Use a new key for each change, and retry a change with exactly the same input.",
      facts: { argument: "idempotencyKey" },
    },
  };
}

export function isWithinLifetime(remembered: { readonly at: number }, now: number): boolean {
  return now - remembered.at <= ANSWER_LIFETIME_MS;
}

/** Returns false for refusals that may be gone at the next attempt: a confirmation, for example, lifts HELD. */
export function isAnswerValid(outcome: Outcome): boolean {
  if (outcome.ok) return true;
  const { code } = outcome.refusal;
  return code !== "INTERNAL" && code !== "HELD" && !REFUSALS[code].retryable;
}
