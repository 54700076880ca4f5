import { type ErrorCode, REFUSALS } from "@tierkeep/schema/domain/refusals";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ANSWER_LIFETIME_MS, decideRetry, isAnswerValid } from "./retry.ts";

const outcome = { ok: true, result: null } as const;
const instants = fc.integer({ min: -3 * ANSWER_LIFETIME_MS, max: 3 * ANSWER_LIFETIME_MS });

describe("decideRetry", () => {
  it("returns the stored answer for exactly 24 hours, also when the clock was set back", () => {
    fc.assert(
      fc.property(instants, (later) => {
        const once = { actor: "ann", key: "k", fingerprint: "f", at: later };
        const decided = decideRetry({ fingerprint: "f", at: 0, outcome }, once);
        expect(decided).toBe(later <= ANSWER_LIFETIME_MS ? outcome : null);
      }),
      { examples: [[ANSWER_LIFETIME_MS], [ANSWER_LIFETIME_MS + 1]] },
    );
  });

  it("returns null where no answer is stored", () => {
    expect(decideRetry(null, { actor: "ann", key: "k", fingerprint: "f", at: 0 })).toBeNull();
  });
});

describe("isAnswerValid", () => {
  it("accepts results, and refusals that a retry would get again", () => {
    expect(isAnswerValid(outcome)).toBe(true);
    const forgotten = (Object.keys(REFUSALS) as ErrorCode[]).filter(
      (code) => !isAnswerValid({ ok: false, refusal: { code, message: "", facts: {} } }),
    );
    expect(forgotten.toSorted()).toEqual([
      "CONFLICT",
      "HELD",
      "INTERNAL",
      "RATE_LIMITED",
      "STORAGE_FULL",
      "TIER_UNAVAILABLE",
      "UNAVAILABLE",
    ]);
  });
});
