import { inexactNumberIn } from "./exact-numbers.ts";
import { Refused } from "./refusals.ts";

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** The writer's own facts about an artifact. Keys that start with `_` are ours, and stand only in published sidecars. */
export type Metadata = { readonly [key: string]: JsonValue };

/** Largest metadata, in bytes of its JSON in UTF-8. */
export const MAX_METADATA_BYTES = 64 * 1024;

/** Deepest nesting of objects and lists in metadata. Guards every recursive reader of it. */
const MAX_METADATA_DEPTH = 32;

/**
 * Returns `value` as metadata.
 *
 * @throws Refused BAD_USER_INPUT for anything but a JSON object, for keys starting with `_`, for lone surrogates, too
 * deep nesting or a number that a double cannot hold exactly; CONTENT_TOO_LARGE over 64 KiB
 */
export function requireMetadata(value: unknown, argument: string): Metadata {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Refused("BAD_USER_INPUT", `${argument} must be a JSON object.`, { argument });
  }
  for (const key of Object.keys(value)) {
    if (key.startsWith("_")) {
      throw new Refused(
        "BAD_USER_INPUT",
        `${argument} has the key ${JSON.stringify(key)}; keys that start with "_" are reserved.`,
        { argument },
      );
    }
  }
  const problem = jsonProblem(value, 0);
  if (problem !== null) throw new Refused("BAD_USER_INPUT", `${argument} ${problem}.`, { argument });
  const bytes = new TextEncoder().encode(JSON.stringify(value)).length;
  if (bytes > MAX_METADATA_BYTES) {
    throw new Refused(
      "CONTENT_TOO_LARGE",
      `${argument} is ${bytes} bytes of JSON; at most ${MAX_METADATA_BYTES} are allowed. Put larger facts into an artifact of their own.`,
      { argument },
    );
  }
  return value as Metadata;
}

function jsonProblem(value: unknown, depth: number): string | null {
  if (depth > MAX_METADATA_DEPTH) return `is nested more than ${MAX_METADATA_DEPTH} levels deep`;
  switch (typeof value) {
    case "string":
      return value.isWellFormed() ? null : "holds text that is not well-formed Unicode";
    case "boolean":
      return null;
    case "number":
      return Number.isFinite(value) ? null : "holds a number that JSON cannot express";
    case "object":
      if (value === null) return null;
      if (inexactNumberIn(value) !== null) {
        return `holds the number ${inexactNumberIn(value)}, which cannot be stored exactly. Send it as text, in quotes`;
      }
      for (const [key, item] of Object.entries(value)) {
        if (!key.isWellFormed()) return "holds text that is not well-formed Unicode";
        const problem = jsonProblem(item, depth + 1);
        if (problem !== null) return problem;
      }
      return null;
    default:
      return "holds a value that JSON cannot express";
  }
}
