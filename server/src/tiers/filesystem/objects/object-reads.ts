import { createHash, type Hash } from "node:crypto";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { ByteRange } from "@tierkeep/schema/services/artifacts";
import type { Disk } from "../../../files/disk.ts";
import type { FoundAt } from "../../tier-store.ts";
import { foundPath } from "../current-paths.ts";
import type { Layout } from "../layout.ts";

/** Bytes per read call, and the maximum read-ahead of one reader. */
export const READ_CHUNK_BYTES = 256 * 1024;

/** The expected size and checksum of an object, and the requested range (null: all bytes). */
export interface ExpectedObject {
  readonly range: ByteRange | null;
  readonly sizeBytes: number;
  readonly checksum: string;
}

/** The state of one read of an object. */
export interface ObjectRead {
  readonly object: string;
  readonly descriptor: number;
  readonly checksum: string;
  /** Null for a range, because only a read of all bytes is verified. */
  readonly hash: Hash | null;
  position: number;
  remaining: number;
}

export function expectedLength({ range, sizeBytes }: ExpectedObject): number {
  return range === null ? sizeBytes : range.end - range.start + 1;
}

/**
 * Opens an object by its name, or a file in quarantine or in the published tree. Null: it does not exist.
 * @throws Refused CHECKSUM_MISMATCH if it is not a file or has another size
 */
export function openObject(
  disk: Disk,
  layout: Layout,
  from: string | FoundAt,
  expected: ExpectedObject,
): ObjectRead | null {
  const { range, sizeBytes, checksum } = expected;
  if (range !== null && !(range.start >= 0 && range.start <= range.end && range.end < sizeBytes)) {
    throw new RangeError(`bytes ${range.start} to ${range.end} are not within ${sizeBytes} bytes`);
  }
  const path = typeof from === "string" ? layout.objectPath(from) : foundPath(disk, layout, from);
  const object = typeof from === "string" ? from : path;
  const descriptor = disk.open(path);
  if (descriptor === null) return null;
  try {
    const facts = disk.facts(descriptor);
    if (facts.kind !== "file") throw damaged(object, "is not a file");
    if (facts.sizeBytes !== sizeBytes)
      throw damaged(object, `has ${facts.sizeBytes} bytes instead of ${sizeBytes}`);
  } catch (error) {
    disk.close(descriptor);
    throw error;
  }
  const hash = range === null ? createHash("sha256") : null;
  return {
    object,
    descriptor,
    checksum,
    hash,
    position: range?.start ?? 0,
    remaining: expectedLength(expected),
  };
}

/**
 * Returns the next bytes, at most `limit`; null: there are no more. A read of all bytes returns the last ones
 * only after the checksum of the whole object is verified. @throws Refused CHECKSUM_MISMATCH
 */
export function readObject(disk: Disk, read: ObjectRead, limit: number): Uint8Array<ArrayBuffer> | null {
  if (read.remaining === 0) return null;
  // A separate allocation, not a part of a pool: it is transferred to another thread.
  const bytes = new Uint8Array(new ArrayBuffer(Math.min(limit, read.remaining)));
  for (let filled = 0; filled < bytes.length; ) {
    const count = disk.read(read.descriptor, bytes.subarray(filled), read.position + filled);
    if (count === 0) throw damaged(read.object, "ends too early");
    filled += count;
  }
  read.position += bytes.length;
  read.remaining -= bytes.length;
  read.hash?.update(bytes);
  if (read.remaining === 0) verify(disk, read);
  return bytes;
}

/** Verifies an empty object, because readObject verifies only after it has read bytes. */
export function verifyEmpty(disk: Disk, read: ObjectRead): void {
  if (read.remaining === 0) verify(disk, read);
}

function verify(disk: Disk, read: ObjectRead): void {
  if (read.hash === null) return;
  if (disk.read(read.descriptor, new Uint8Array(1), read.position) > 0)
    throw damaged(read.object, "is longer than expected");
  const checksum = read.hash.digest("hex");
  if (checksum !== read.checksum)
    throw damaged(read.object, "does not have the bytes that were written", checksum);
}

function damaged(object: string, how: string, checksum?: string): Refused {
  return new Refused(
    "CHECKSUM_MISMATCH",
    `The stored object ${object} ${how}. Write the artifact again from its source, or restore the object from a backup.`,
    checksum === undefined ? {} : { checksum },
  );
}
