import { describe, expect, it } from "vitest";
import { requireIdempotencyKey } from "./idempotency-keys.ts";

describe("requireIdempotencyKey", () => {
  it.each(["k", "x".repeat(200), "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", ' !"#~'])("accepts %j", (key) => {
    expect(requireIdempotencyKey(key, "key")).toBe(key);
  });

  it.each(["", "x".repeat(201), "é", "a\nb", "a\u007f", "a\u0000"])("rejects %j", (key) => {
    expect(() => requireIdempotencyKey(key, "input.idempotencyKey")).toThrow(
      expect.objectContaining({ code: "BAD_USER_INPUT", facts: { argument: "input.idempotencyKey" } }),
    );
  });
});
