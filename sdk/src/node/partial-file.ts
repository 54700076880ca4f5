import { createHash, randomBytes } from "node:crypto";
import { lstat, readdir, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import process from "node:process";

/** The partial file of an earlier download, renamed to a unique name of this download. */
export interface Partial {
  readonly path: string;
  readonly sizeBytes: number;
  /** The first 32 digits of the checksum of the complete content. */
  readonly checksum: string;
}

const CHECKSUM_DIGITS = 32;
/**
 * Maximum bytes of the original name in a partial file's name. File names may have 255 bytes, and a working
 * file's name adds 68.
 */
const MAX_NAME_BYTES = 180;
/**
 * The part of a partial file's name after the original name: the checksum and, while a process writes to the
 * file, its machine, its pid and a random number.
 */
const REST_OF_NAME = /^([0-9a-f]{32})(?:\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8})?\.part$/;

/** Returns the path at which an interrupted download keeps its received bytes. */
export function keptPath(path: string, checksum: string): string {
  return join(dirname(path), `${prefixOf(path)}${checksum.slice(0, CHECKSUM_DIGITS)}.part`);
}

/**
 * Returns the path to which a resumable download writes. The name contains the process that owns the file;
 * another process may not continue it.
 */
export function workingPath(path: string, checksum: string): string {
  const owner = `${machine()}-${process.pid}-${randomBytes(4).toString("hex")}`;
  return join(dirname(path), `${prefixOf(path)}${checksum.slice(0, CHECKSUM_DIGITS)}.${owner}.part`);
}

/**
 * Claims the partial file of an earlier download, or of a killed process, by renaming it, so that no other
 * download uses it. Returns null if there is none.
 */
export async function takePartial(path: string): Promise<Partial | null> {
  const prefix = prefixOf(path);
  for (const name of await readdir(dirname(path)).catch(() => [])) {
    const rest = name.startsWith(prefix) ? REST_OF_NAME.exec(name.slice(prefix.length)) : null;
    if (rest === null) continue;
    const [, checksum = "", host, pid] = rest;
    if (host !== undefined && !isAbandoned(host, Number(pid))) continue;
    const found = join(dirname(path), name);
    const stats = await lstat(found).catch(() => null);
    if (stats === null || !stats.isFile()) continue;
    if (stats.size === 0) {
      await rm(found, { force: true });
      continue;
    }
    try {
      const taken = workingPath(path, checksum);
      await rename(found, taken);
      return { path: taken, sizeBytes: stats.size, checksum };
    } catch {
      // Another download has taken it.
    }
  }
  return null;
}

/**
 * Returns true if the process no longer exists. A process of another machine may be running, so it returns
 * false for it.
 */
function isAbandoned(host: string, pid: number): boolean {
  if (host !== machine()) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

function machine(): string {
  return createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
}

function prefixOf(path: string): string {
  const name = basename(path);
  const short =
    Buffer.byteLength(name) <= MAX_NAME_BYTES ? name : createHash("sha256").update(name).digest("hex");
  return `.${short}.`;
}
