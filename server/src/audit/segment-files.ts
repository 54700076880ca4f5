import { readdirSync } from "node:fs";
import { join } from "node:path";
import { LineReader } from "./line-reader.ts";
import { isLogName, segmentNumberOf } from "./log-names.ts";

/** Position of a line in the log. */
export interface LinePlace {
  readonly seq: number;
  /** Undefined: the line starts no segment. */
  readonly segment: number | undefined;
  /** Undefined: it was written before lines named each other. */
  readonly prev: string | null | undefined;
}

/** Returns the position that a line states. Null: it is not a line of the log. */
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

/** A file that starts with a line of the log. */
export interface SegmentFile {
  readonly file: string;
  readonly number: number;
  readonly first: LinePlace;
}

/**
 * Returns the files of the log, ordered by their first lines because they may have been renamed, and files
 * that are not of the log.
 */
export function segmentFiles(directory: string): { segments: SegmentFile[]; foreign: string[] } {
  const segments: SegmentFile[] = [];
  const foreign: string[] = [];
  for (const { name: file } of readdirSync(directory, { withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )) {
    if (!isLogName(file)) continue;
    using reader = new LineReader(join(directory, file));
    if (reader.atEnd()) continue;
    const line = reader.next();
    const first = line && placeOf(line);
    if (first === null) foreign.push(file);
    else segments.push({ file, number: first.segment ?? segmentNumberOf(file) ?? 1, first });
  }
  segments.sort((a, b) => a.number - b.number || a.first.seq - b.first.seq);
  return { segments, foreign: foreign.sort() };
}
