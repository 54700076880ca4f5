import { createHash, type Hash } from "node:crypto";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { ByteRange } from "@tierkeep/schema/services/artifacts";
import type { Disk } from "../../../files/disk.ts";
import type { FoundAt } from "../../tier-store.ts";
import type { Layout } from "../layout.ts";

/** What goes through a thread at once, and the most that one reader holds ahead. */
export const READ_CHUNK_BYTES = 256 * 1024;

/** What an object must be, and which part of it is wanted (null: all of it). */
export interface ExpectedObject {
  readonly range: ByteRange | null;
  readonly sizeBytes: number;
  readonly checksum: string;
}

/** An object being read. */
export interface ObjectRead {
  readonly object: string;
  readonly descriptor: number;
  readonly checksum: string;
  /** Null: a range, which is not hashed. */
  readonly hash: Hash | null;
  position: number;
  remaining: number;
}

export function expectedLength({ range, sizeBytes }: ExpectedObject): number {
  return range === null ? sizeBytes : range.end - range.start + 1;
}

/** An object by its name, or what was found elsewhere. Null: there is none. @throws Refused CHECKSUM_MISMATCH when it has another size */
export function openObject(
  disk: Disk,
  layout: Layout,
  from: string | FoundAt,
  expected: ExpectedObject,
): ObjectRead | null {
  const { range, sizeBytes, checksum } = expected;
  if (range !== null && !(range.start >= 0 && range.start <= range.end && range.end < sizeBytes)) {
    throw new RangeError(`bytes ${range.start} to ${range.end} do not lie within ${sizeBytes}`);
  }
  const path = typeof from === "string" ? layout.objectPath(from) : layout.foundPath(from);
  const object = typeof from === "string" ? from : path;
  const descriptor = disk.open(path);
  if (descriptor === null) return null;
  try {
    const facts = disk.facts(descriptor);
    if (facts.kind !== "file") throw damaged(object, "is not a file");
    if (facts.sizeBytes !== sizeBytes)
      throw damaged(object, `has ${facts.sizeBytes} bytes in place of ${sizeBytes}`);
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
 * The next bytes, at most `limit`; null: there are no more. The last ones of a whole read come only after the hash of
 * all of them proved right. @throws Refused CHECKSUM_MISMATCH
 */
export function readObject(disk: Disk, read: ObjectRead, limit: number): Uint8Array<ArrayBuffer> | null {
  if (read.remaining === 0) return null;
  // Memory of its own, not a piece of a pool: it is handed on to another thread as it is.
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

/** For an object without bytes, of which nothing is ever read. */
export function verifyEmpty(disk: Disk, read: ObjectRead): void {
  if (read.remaining === 0) verify(disk, read);
}

function verify(disk: Disk, read: ObjectRead): void {
  if (read.hash === null) return;
  if (disk.read(read.descriptor, new Uint8Array(1), read.position) > 0)
    throw damaged(read.object, "goes on after its end");
  const checksum = read.hash.digest("hex");
  if (checksum !== read.checksum) throw damaged(read.object, "has other bytes than were written", checksum);
}

function damaged(object: string, how: string, checksum?: string): Refused {
  return new Refused(
    "CHECKSUM_MISMATCH",
    `The stored object ${object} ${how}. Write the artifact again from its source, or restore the object from a backup.`,
    checksum === undefined ? {} : { checksum },
  );
}
