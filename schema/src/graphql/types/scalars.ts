import { GraphQLError, Kind, type ValueNode } from "graphql";
import { INEXACT_NUMBER, isExactNumber } from "../../domain/exact-numbers.ts";
import type { JsonValue } from "../../domain/metadata.ts";
import { fromBase64, toBase64 } from "./base64.ts";
import { builder } from "./builder.ts";

const RFC3339 =
  /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/** The first and the last instant that RFC 3339 can express. */
const EARLIEST_MS = Date.parse("0000-01-01T00:00:00.000Z");
export const LATEST_MS = Date.parse("9999-12-31T23:59:59.999Z");

builder.scalarType("DateTime", {
  description:
    "An RFC 3339 timestamp. Output is in UTC with milliseconds, such as `2026-11-24T08:14:00.000Z`. Input may have any offset; digits beyond milliseconds are cut off.",
  specifiedByURL: "https://www.rfc-editor.org/rfc/rfc3339",
  serialize: (ms) => {
    if (!(ms >= EARLIEST_MS && ms <= LATEST_MS))
      throw new RangeError(`${Number(ms)} ms cannot be written as an RFC 3339 timestamp`);
    return new Date(ms).toISOString();
  },
  parseValue: (value) => {
    const ms = typeof value === "string" ? parseInstant(value) : null;
    if (ms === null) {
      throw badInput(
        `${shown(value)} is not an RFC 3339 timestamp. Use a form such as "2026-11-24T08:14:00.000Z".`,
      );
    }
    return ms;
  },
});

builder.scalarType("JSONObject", {
  description:
    "A JSON object with values of any type. A number that a 64-bit float cannot hold exactly, such as 12345678901234567890, is rejected with BAD_USER_INPUT: send it as a string.",
  specifiedByURL: "https://www.rfc-editor.org/rfc/rfc8259",
  serialize: (value) => value,
  parseValue: requireJsonObject,
  parseLiteral: (node, variables) => requireJsonObject(literalValue(node, variables ?? {})),
});

function requireJsonObject(value: unknown): { [key: string]: JsonValue } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw badInput(`${shown(value)} is not a JSON object.`);
  }
  return value as { [key: string]: JsonValue };
}

/** Returns the JSON value of a literal. Numbers that a double cannot hold are replaced as exactJson does. */
function literalValue(node: ValueNode, variables: { readonly [name: string]: unknown }): unknown {
  switch (node.kind) {
    case Kind.NULL:
      return null;
    case Kind.INT:
    case Kind.FLOAT:
      return isExactNumber(node.value) ? Number(node.value) : { [INEXACT_NUMBER]: node.value.slice(0, 60) };
    case Kind.LIST:
      return node.values.map((item) => literalValue(item, variables));
    case Kind.OBJECT:
      return Object.fromEntries(
        node.fields.map(({ name, value }) => [name.value, literalValue(value, variables)]),
      );
    case Kind.VARIABLE:
      return variables[node.name.value];
    default:
      return node.value;
  }
}

builder.scalarType("SafeInt", {
  description: "An integer from -(2^53 - 1) to 2^53 - 1, the range that a JSON number holds exactly.",
  serialize: (value) => {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${Number(value)} is not a safe integer`);
    return value;
  },
  parseValue: (value) => {
    if (!Number.isSafeInteger(value))
      throw badInput(`${shown(value)} is not an integer from -(2^53 - 1) to 2^53 - 1.`);
    return value as number;
  },
});

builder.scalarType("Base64", {
  description: "Bytes as base64 with the standard alphabet and padding, and without line breaks.",
  specifiedByURL: "https://www.rfc-editor.org/rfc/rfc4648#section-4",
  serialize: (bytes) => toBase64(bytes),
  parseValue: (value) => {
    const bytes = typeof value === "string" ? fromBase64(value) : null;
    if (bytes === null) {
      throw badInput(
        `${shown(value)} is not base64 with the standard alphabet and padding, and without line breaks.`,
      );
    }
    return bytes;
  },
});

/**
 * Returns the instant in ms since the epoch; null if there is no such instant. The 30th of February is
 * rejected, and so is a leap second, which the system clock cannot tell from the following second.
 */
function parseInstant(text: string): number | null {
  const match = RFC3339.exec(text);
  if (match === null) return null;
  const [, day = "", time = "", fraction = "", sign, hours, minutes] = match;
  const local = `${day}T${time}.${fraction.slice(0, 3).padEnd(3, "0")}Z`;
  const ms = Date.parse(local);
  // Date.parse accepts a surplus day or the hour 24 and carries it over into the next month or day.
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== local) return null;
  const offset = sign === undefined ? 0 : (Number(hours) * 60 + Number(minutes)) * 60_000;
  const utc = sign === "-" ? ms + offset : ms - offset;
  return utc >= EARLIEST_MS && utc <= LATEST_MS ? utc : null;
}

function badInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: "BAD_USER_INPUT" } });
}

function shown(value: unknown): string {
  if (typeof value !== "string") return Array.isArray(value) ? "A list" : `A value of type ${typeof value}`;
  const text = JSON.stringify(value.slice(0, 60));
  return value.length > 60 ? `${text.slice(0, -1)}…"` : text;
}
