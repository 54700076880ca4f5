import { ANSWER_BYTES, type SizedResult } from "@tierkeep/schema/graphql/execution/execute-operation";
import { JsonText } from "@tierkeep/schema/graphql/limits/json-text";
import type { FormattedExecutionResult } from "graphql";

/** Results up to this size are serialized with one JSON.stringify. */
const MAX_UNSLICED_BYTES = 128 * 1024;

/** Longest time that serializing blocks the event loop, in ms. */
const SLICE_MS = 10;

/** Number of values between two checks of the clock. */
const VALUES_PER_CHECK = 500;

/**
 * Returns the JSON of a formatted result. A large result is serialized in slices, so that other requests run
 * in between.
 *
 * @param result the result before formatting
 */
export function answerJson(
  formatted: FormattedExecutionResult,
  result: SizedResult,
): string | Promise<string> {
  return isLarge(result) ? new JsonWriter().write(formatted) : JSON.stringify(formatted);
}

/** Returns whether a result is serialized in slices. */
export function isLarge(result: SizedResult): boolean {
  return (result[ANSWER_BYTES] ?? 0) > MAX_UNSLICED_BYTES;
}

/** Serializes what graphql-js builds for a selection, with scalar values as leaves. */
class JsonWriter {
  readonly #pieces: string[] = [];
  #values = 0;
  #since = performance.now();

  async write(value: unknown): Promise<string> {
    for (const _pause of this.#value(value)) {
      await new Promise(setImmediate);
      this.#since = performance.now();
    }
    return this.#pieces.join("");
  }

  /** Yields when a pause is due. */
  *#value(value: unknown): Generator<void> {
    this.#values += 1;
    if (value instanceof JsonText) {
      this.#pieces.push(value.json);
      this.#values += VALUES_PER_CHECK / 10;
    } else if (Array.isArray(value)) yield* this.#list(value);
    else if (isSelection(value)) yield* this.#object(value);
    else this.#pieces.push(JSON.stringify(value) ?? "null");
    if (this.#values < VALUES_PER_CHECK) return;
    this.#values = 0;
    if (performance.now() - this.#since > SLICE_MS) yield;
  }

  *#list(values: readonly unknown[]): Generator<void> {
    let separator = "[";
    for (const value of values) {
      this.#pieces.push(separator);
      separator = ",";
      yield* this.#value(value);
    }
    this.#pieces.push(values.length === 0 ? "[]" : "]");
  }

  *#object(values: Readonly<Record<string, unknown>>): Generator<void> {
    let separator = "{";
    for (const name in values) {
      const value = values[name];
      if (value === undefined) continue;
      this.#pieces.push(separator, JSON.stringify(name), ":");
      separator = ",";
      yield* this.#value(value);
    }
    this.#pieces.push(separator === "{" ? "{}" : "}");
  }
}

/** graphql-js gives the objects of a selection no prototype. The result itself is a plain object. */
function isSelection(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || "toJSON" in value) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || "data" in value || "errors" in value;
}
