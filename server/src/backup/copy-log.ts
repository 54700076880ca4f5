import { join } from "node:path";
import { parseCheckpoint } from "../audit/checkpoint.ts";
import { LineReader } from "../audit/line-reader.ts";
import { CHECKPOINTS_FILE, isLogName, PUBLIC_KEY_FILE, segmentNumberOf } from "../audit/log-names.ts";
import type { ExportState } from "../catalog/rows.ts";
import type { Disk } from "../files/disk.ts";
import { copyFile, type FileFacts } from "./durable-files.ts";

/**
 * Copies the audit log as of the copied catalog, while the server may append to it: the lines that the
 * catalog has exported, and their checkpoints. So the log of a restored store continues where the copy ends.
 * Returns the copied files by name.
 */
export async function copyLog(
  disk: Disk,
  from: string,
  to: string,
  state: ExportState | null,
): Promise<ReadonlyMap<string, FileFacts>> {
  const copied = new Map<string, FileFacts>();
  disk.mkdir("backup.mkdir", to);
  const there = disk.readdir(from) ?? [];
  const last = state === null ? 0 : (segmentNumberOf(state.file) ?? Number.POSITIVE_INFINITY);
  for (const file of there.toSorted()) {
    let bytes: number;
    if (file === PUBLIC_KEY_FILE) bytes = Number.POSITIVE_INFINITY;
    else if (state === null) continue;
    else if (file === state.file) bytes = state.offset;
    else if (file === CHECKPOINTS_FILE) bytes = checkpointBytes(join(from, file), last, state.seq);
    else if (isLogName(file) && (segmentNumberOf(file) ?? 0) <= last) bytes = Number.POSITIVE_INFINITY;
    else continue;
    const facts = await copyFile(disk, join(from, file), join(to, file), bytes);
    if (facts !== null) copied.set(file, facts);
  }
  disk.fsyncDirectory("backup.directory.fsync", to);
  return copied;
}

/** Bytes of checkpoints before the first one of a later event or segment. */
function checkpointBytes(path: string, segment: number, seq: number): number {
  using reader = new LineReader(path);
  let bytes = 0;
  for (let line = reader.next(); line !== null; line = reader.next()) {
    const checkpoint = parseCheckpoint(line.toString());
    if (checkpoint !== null && (checkpoint.segment > segment || checkpoint.seq > seq)) break;
    bytes += line.length;
  }
  return bytes;
}
