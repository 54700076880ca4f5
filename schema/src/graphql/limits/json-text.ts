import type { JsonValue, MetadataText } from "../../domain/metadata.ts";

/** A JSON value as text. The response writer copies the text unchanged; other serialisers use `toJSON`. */
export class JsonText {
  readonly json: string;
  /** Bytes of the text in UTF-8. */
  readonly bytes: number;

  constructor({ json, bytes }: MetadataText) {
    this.json = json;
    this.bytes = bytes;
  }

  toJSON(): unknown {
    return JSON.parse(this.json);
  }
}

/** Returns the approximate bytes of a value's JSON. For small values only: it visits every member. */
export function valueBytes(value: JsonValue): number {
  if (typeof value === "string") return value.length + 2;
  if (typeof value !== "object" || value === null) return 8;
  let bytes = 2;
  if (Array.isArray(value)) {
    for (const item of value) bytes += valueBytes(item) + 1;
    return bytes;
  }
  const members = value as { readonly [key: string]: JsonValue };
  for (const key in members) bytes += key.length + 4 + valueBytes(members[key] as JsonValue);
  return bytes;
}
