import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Refused } from "../../domain/refusals.ts";
import { UNCHARGED } from "../../services/charge.ts";
import { AnswerBudget, jsonBytes } from "./answer-budget.ts";

/** Text of any UTF-16 units, including lone surrogates. */
const units = fc.array(fc.nat(0xffff)).map((codes) => String.fromCharCode(...codes));

describe("jsonBytes", () => {
  it("returns the number of bytes that JSON.stringify writes", () => {
    fc.assert(
      fc.property(units, (text) => {
        expect(jsonBytes(text)).toBe(Buffer.byteLength(JSON.stringify(text)));
      }),
      { examples: [['\0\u001f\b\t\n\f\r"\\'], ["\ud800"], ["\udc00x"], ["😀é€"]] },
    );
  });

  it("stops at a limit", () => {
    expect(jsonBytes("\0".repeat(100), 10)).toBeGreaterThan(10);
  });
});

describe("AnswerBudget", () => {
  it("rejects the first value over its limit, and every later value", () => {
    const budget = new AnswerBudget(100, UNCHARGED);
    budget.add(100);
    expect(() => budget.add(1)).toThrow(expect.objectContaining({ code: "QUERY_TOO_COMPLEX" }));
    expect(() => budget.add(0)).toThrow(expect.objectContaining({ code: "QUERY_TOO_COMPLEX" }));
    expect(budget.refused?.code).toBe("QUERY_TOO_COMPLEX");
  });

  it("charges its bytes to the caller's memory, releases them, and passes on a refusal", () => {
    let charged = 0;
    const add = (bytes: number) => {
      if (charged + bytes > 200_000) throw new Refused("RATE_LIMITED", "full");
      charged += bytes;
    };
    const budget = new AnswerBudget(1_000_000, { add, release: () => {} });
    budget.add(100_000);
    expect(charged).toBe(100_000);
    budget.startOver();
    expect(charged).toBe(0);
    budget.add(150_000);
    expect(() => budget.add(100_000)).toThrow(expect.objectContaining({ code: "RATE_LIMITED" }));
    expect(() => budget.require()).toThrow(expect.objectContaining({ code: "RATE_LIMITED" }));
    expect(charged).toBe(150_000);
  });
});
