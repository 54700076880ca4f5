import { inexactNumberIn } from "./exact-numbers.ts";
import { Refused } from "./refusals.ts";

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/**
 * Metadata that the writer of an artifact gave. Keys that start with `_` are reserved for Tierkeep, which
 * uses them only in published sidecars.
 */
export type Metadata = { readonly [key: string]: JsonValue };

/** Maximum size of metadata: bytes of its JSON in UTF-8. */
export const MAX_METADATA_BYTES = 64 * 1024;

/** Maximum nesting of objects and lists in metadata. It protects code that reads metadata recursively. */
const MAX_METADATA_DEPTH = 32;

/**
 * Returns `value` as metadata.
 *
 * @throws Refused BAD_USER_INPUT for a value that is not a JSON object, keys that start with `_`, lone
 * surrogates, too deep nesting, or a number that a double cannot hold exactly; CONTENT_TOO_LARGE over 64 KiB
 */
export function requireMetadata(value: unknown, argument: string): Metadata {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Refused("BAD_USER_INPUT", `${argument} must be a JSON object.`, { argument });
  }
  for (const key of Object.keys(value)) {
    if (key.startsWith("_")) {
      throw new Refused(
        "BAD_USER_INPUT",
        `${argument} has the key ${JSON.stringify(key)}; keys that start with "_" are reserved. Rename the key.`,
        { argument },
      );
    }
  }
  const problem = jsonProblem(value, 0, { left: MAX_METADATA_BYTES });
  if (problem === TOO_LARGE) throw tooLarge(argument, `more than ${MAX_METADATA_BYTES}`);
  if (problem !== null) throw new Refused("BAD_USER_INPUT", `${argument} ${problem}.`, { argument });
  const bytes = new TextEncoder().encode(JSON.stringify(value)).length;
  if (bytes > MAX_METADATA_BYTES) throw tooLarge(argument, String(bytes));
  return value as Metadata;
}

function tooLarge(argument: string, bytes: string): Refused {
  return new Refused(
    "CONTENT_TOO_LARGE",
    `${argument} is ${bytes} bytes of JSON; at most ${MAX_METADATA_BYTES} are allowed. Store larger data as a separate artifact.`,
    { argument },
  );
}

const TOO_LARGE = "is too large";

/**
 * Returns why `value` is not valid metadata, as the predicate of a sentence; null if it is.
 *
 * @param bytes the bytes that its JSON may still have, at least; the check stops when they are used up
 */
function jsonProblem(value: unknown, depth: number, bytes: { left: number }): string | null {
  bytes.left -= typeof value === "string" ? value.length + 2 : 1;
  if (bytes.left < 0) return TOO_LARGE;
  if (depth > MAX_METADATA_DEPTH) return `is nested more than ${MAX_METADATA_DEPTH} levels deep`;
  switch (typeof value) {
    case "string":
      return value.isWellFormed() ? null : "contains text that is not well-formed Unicode";
    case "boolean":
      return null;
    case "number":
      return Number.isFinite(value) ? null : "contains a number that JSON cannot express";
    case "object":
      if (value === null) return null;
      if (inexactNumberIn(value) !== null) {
        return `contains the number ${inexactNumberIn(value)}, which cannot be stored exactly. Send it as a string`;
      }
      if (Array.isArray(value)) {
        for (const item of value) {
          const problem = jsonProblem(item, depth + 1, bytes);
          if (problem !== null) return problem;
        }
        return null;
      }
      for (const key in value) {
        bytes.left -= key.length + 3;
        if (!key.isWellFormed()) return "contains text that is not well-formed Unicode";
        const problem = jsonProblem((value as Record<string, unknown>)[key], depth + 1, bytes);
        if (problem !== null) return problem;
      }
      return null;
    default:
      return "contains a value that JSON cannot express";
  }
}

/** Metadata as the stored JSON text. */
export interface MetadataText {
  readonly json: string;
  /** Bytes of the JSON in UTF-8. */
  readonly bytes: number;
}

const texts = new WeakMap<object, MetadataText>();

/**
 * Remembers the JSON of an artifact's metadata, so that a response can contain it without a new
 * serialisation.
 */
export function keepMetadataText(artifact: object, text: MetadataText): void {
  texts.set(artifact, text);
}

/** Returns the JSON of an artifact's metadata; undefined if only its parsed form is known. */
export function metadataText(artifact: object): MetadataText | undefined {
  return texts.get(artifact);
}
