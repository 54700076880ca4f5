import { GraphQLError, type GraphQLScalarType } from "graphql";
import { describe, expect, it } from "vitest";
import { schema } from "../index.ts";

const scalar = (name: string) => schema.getType(name) as GraphQLScalarType;

function expectRejected(coerce: () => unknown): void {
  let thrown: unknown;
  try {
    coerce();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(GraphQLError);
  expect((thrown as GraphQLError).extensions.code).toBe("BAD_USER_INPUT");
}

describe("DateTime", () => {
  const dateTime = scalar("DateTime");

  it.each([
    ["2026-11-24T08:14:00Z", "2026-11-24T08:14:00.000Z"],
    ["2026-11-24T08:14:00.5Z", "2026-11-24T08:14:00.500Z"],
    ["2026-11-24T08:14:00.123999Z", "2026-11-24T08:14:00.123Z"],
    ["2026-11-24t08:14:00z", "2026-11-24T08:14:00.000Z"],
    ["2026-11-24T08:14:00+05:30", "2026-11-24T02:44:00.000Z"],
    ["2026-11-24T08:14:00-00:30", "2026-11-24T08:44:00.000Z"],
    ["2024-02-29T23:59:59.999+00:00", "2024-02-29T23:59:59.999Z"],
    ["0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"],
  ])("parses %s, and serialises it in UTC with milliseconds", (given, written) => {
    expect(dateTime.coerceOutputValue(dateTime.coerceInputValue(given))).toBe(written);
  });

  it.each([
    "",
    "yesterday",
    "2026-11-24",
    "2026-11-24T08:14",
    "2026-11-24T08:14Z",
    "2026-11-24T08:14:00",
    "2026-11-24 08:14:00Z",
    "2026-02-30T00:00:00Z",
    "2026-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-11-24T24:00:00Z",
    "2026-11-24T08:60:00Z",
    "2026-06-30T23:59:60Z",
    "2026-11-24T08:14:00+24:00",
    "2026-11-24T08:14:00+0530",
    "2026-11-24T08:14:00.Z",
    "+002026-11-24T08:14:00Z",
    "0000-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-01:00",
    " 2026-11-24T08:14:00Z",
    1_764_000_000_000,
    true,
    {},
  ])("rejects %j", (given) => {
    expectRejected(() => dateTime.coerceInputValue(given));
  });

  it("does not serialise an instant outside the years of RFC 3339", () => {
    expect(() => dateTime.coerceOutputValue(Date.parse("+010000-01-01T00:00:00Z"))).toThrow(RangeError);
    expect(() => dateTime.coerceOutputValue(Number.NaN)).toThrow(RangeError);
  });
});

describe("JSONObject", () => {
  const jsonObject = scalar("JSONObject");

  it("accepts an object, including a key named __proto__", () => {
    const given: unknown = JSON.parse('{"__proto__": {"a": 1}, "b": [null, 1.5, "c"]}');
    expect(JSON.stringify(jsonObject.coerceInputValue(given))).toBe(
      '{"__proto__":{"a":1},"b":[null,1.5,"c"]}',
    );
  });

  it.each([[[1]], ["{}"], [1], [false]])("rejects %j", (given) => {
    expectRejected(() => jsonObject.coerceInputValue(given));
  });
});

describe("SafeInt", () => {
  const safeInt = scalar("SafeInt");

  it("accepts integers beyond 32 bits, up to 2^53 - 1", () => {
    expect(safeInt.coerceOutputValue(Number.MAX_SAFE_INTEGER)).toBe(9_007_199_254_740_991);
    expect(safeInt.coerceInputValue(Number.MAX_SAFE_INTEGER)).toBe(9_007_199_254_740_991);
    expect(() => safeInt.coerceOutputValue(2 ** 53)).toThrow(RangeError);
    expect(() => safeInt.coerceOutputValue(0.5)).toThrow(RangeError);
  });

  it.each([2 ** 53, 0.5, "1", null])("rejects %j", (given) => {
    expectRejected(() => safeInt.coerceInputValue(given));
  });
});

describe("Base64", () => {
  const base64 = scalar("Base64");

  it("decodes and encodes bytes", () => {
    expect(base64.coerceInputValue("AP8=")).toEqual(Uint8Array.of(0, 255));
    expect(base64.coerceOutputValue(Uint8Array.of(0, 255))).toBe("AP8=");
  });

  it.each(["AP8", "not base64!", 1, {}])("rejects %j", (given) => {
    expectRejected(() => base64.coerceInputValue(given));
  });
});
