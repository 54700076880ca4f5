import type { ByteRange } from "@tierkeep/schema/services/artifacts";

/**
 * Returns the range requested by a Range header of a content of `sizeBytes`. Null: the complete content,
 * which RFC 9110 also allows for other units, malformed headers and several ranges. "unsatisfiable": 416.
 */
export function byteRange(header: string | null, sizeBytes: number): ByteRange | null | "unsatisfiable" {
  const match = /^bytes=[\t ]*(\d*)-(\d*)[\t ]*$/i.exec(header ?? "");
  if (match === null) return null;
  const [, first = "", last = ""] = match;
  if (first === "") {
    if (last === "") return null;
    const length = Math.min(Number(last), sizeBytes);
    return length === 0 ? "unsatisfiable" : { start: sizeBytes - length, end: sizeBytes - 1 };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return null;
  if (start >= sizeBytes) return "unsatisfiable";
  return { start, end: last === "" ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1) };
}
