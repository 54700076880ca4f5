import { exactJson } from "@tierkeep/schema/domain/exact-numbers";
import { type Disk, systemCode } from "../../../files/disk.ts";
import type { FoundSidecar } from "../../tier-view.ts";

/** Our sidecars are far smaller: 64 KiB of metadata, indented, and a few facts. */
const LARGEST_SIDECAR_BYTES = 1024 * 1024;

/**
 * Maximum nesting of a returned sidecar, several times that of metadata. Copying a deeper value to another
 * thread would overflow the stack.
 */
const DEEPEST = 100;

/**
 * Returns true if the file is a sidecar that we published: JSON with a version and a checksum among its
 * facts.
 */
export function isOwnSidecar(disk: Disk, path: string): boolean {
  const { facts } = readSidecar(disk, path);
  if (facts === null) return false;
  const { _version: version, _checksum: checksum } = facts;
  return typeof version === "number" && typeof checksum === "string" && /^[0-9a-f]{64}$/.test(checksum);
}

/** Returns the sidecar at a path, ours or foreign. */
export function readSidecar(disk: Disk, path: string): FoundSidecar {
  let facts: unknown;
  try {
    if (disk.lstat(path) === null) return { facts: null, problem: null };
    const text = smallFile(disk, path);
    if (text === null) return torn("is not a file, or is too large for a sidecar");
    facts = JSON.parse(exactJson(text));
  } catch (error) {
    const code = systemCode(error);
    return torn(code === null ? "is damaged: it is not JSON" : `cannot be read (${code})`);
  }
  if (typeof facts !== "object" || facts === null || Array.isArray(facts))
    return torn("contains no JSON object");
  if (isDeeperThan(facts, DEEPEST)) return torn(`is nested more than ${DEEPEST} levels deep`);
  return { facts: facts as Record<string, unknown>, problem: null };
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((item) => isDeeperThan(item, levels - 1));
}

function torn(problem: string): FoundSidecar {
  return { facts: null, problem };
}

function smallFile(disk: Disk, path: string): string | null {
  let descriptor: number | null;
  try {
    descriptor = disk.open(path);
  } catch (error) {
    // A symbolic link, a socket or a device: not a file of ours.
    if (systemCode(error) === "ELOOP" || systemCode(error) === "ENXIO") return null;
    throw error;
  }
  if (descriptor === null) return null;
  try {
    const facts = disk.facts(descriptor);
    if (facts.kind !== "file" || facts.sizeBytes > LARGEST_SIDECAR_BYTES) return null;
    const bytes = new Uint8Array(facts.sizeBytes);
    let filled = 0;
    for (let count = -1; filled < bytes.length && count !== 0; filled += count) {
      count = disk.read(descriptor, bytes.subarray(filled), filled);
    }
    return new TextDecoder().decode(bytes.subarray(0, filled));
  } finally {
    disk.close(descriptor);
  }
}
