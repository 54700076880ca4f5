import { readdirSync } from "node:fs";
import { join } from "node:path";
import { LineReader } from "./line-reader.ts";
import { isLogName, segmentNumberOf } from "./log-names.ts";

/** What a line of the log says of its place; null: it is none of ours. */
export interface LinePlace {
  readonly seq: number;
  /** Undefined: it begins no segment. */
  readonly segment: number | undefined;
  /** Undefined: it was written before lines named each other. */
  readonly prev: string | null | undefined;
}

/** Null: that is no line of the log. */
export function placeOf(line: Buffer): LinePlace | null {
  let parsed: { readonly seq?: unknown; readonly segment?: unknown; readonly prev?: unknown } | null;
  try {
    parsed = JSON.parse(line.toString());
  } catch {
    return null;
  }
  if (typeof parsed !== "object" || parsed === null) return null;
  const { seq, segment, prev } = parsed;
  if (!Number.isSafeInteger(seq)) return null;
  if (segment !== undefined && !Number.isSafeInteger(segment)) return null;
  if (prev !== undefined && prev !== null && typeof prev !== "string") return null;
  return { seq: seq as number, segment: segment as number | undefined, prev };
}

/** A file that begins with a line of the log. */
export interface SegmentFile {
  readonly file: string;
  readonly number: number;
  readonly first: LinePlace;
}

/** The log's files in their order, which their first lines tell: they may have been renamed. And those that are not of the log. */
export function segmentFiles(directory: string): { segments: SegmentFile[]; strangers: string[] } {
  const segments: SegmentFile[] = [];
  const strangers: string[] = [];
  for (const { name: file } of readdirSync(directory, { withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )) {
    if (!isLogName(file)) continue;
    using reader = new LineReader(join(directory, file));
    if (reader.atEnd()) continue;
    const line = reader.next();
    const first = line && placeOf(line);
    if (first === null) strangers.push(file);
    else segments.push({ file, number: first.segment ?? segmentNumberOf(file) ?? 1, first });
  }
  segments.sort((a, b) => a.number - b.number || a.first.seq - b.first.seq);
  return { segments, strangers: strangers.sort() };
}
