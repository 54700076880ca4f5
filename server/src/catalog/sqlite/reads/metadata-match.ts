import type { JsonValue, Metadata } from "@tierkeep/schema/domain/metadata";

/**
 * Returns true if every top-level key of `wanted` is JSON-equal in `metadata`: object keys in any order,
 * numbers by value, types distinct.
 */
export function metadataMatches(metadata: Metadata, wanted: Metadata): boolean {
  return Object.entries(wanted).every(
    ([key, value]) => Object.hasOwn(metadata, key) && jsonEqual(metadata[key] as JsonValue, value),
  );
}

function jsonEqual(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => jsonEqual(item, b[index]));
  }
  const left = a as Metadata;
  const right = b as Metadata;
  return Object.keys(left).length === Object.keys(right).length && metadataMatches(left, right);
}
