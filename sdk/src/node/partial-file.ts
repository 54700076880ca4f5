import { createHash, randomBytes } from "node:crypto";
import { lstat, readdir, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import process from "node:process";

/** What an earlier download of the same file has left, under a name of this download's own. */
export interface Partial {
  readonly path: string;
  readonly sizeBytes: number;
  /** The first digits of the checksum of the whole content. */
  readonly checksum: string;
}

const CHECKSUM_DIGITS = 32;
/** Names of files may be 255 bytes long, and a working file's adds 68. */
const MAX_NAME_BYTES = 180;
/** After the file's own name: the checksum and, while a process writes to it, the machine, the process and a random number. */
const REST_OF_NAME = /^([0-9a-f]{32})(?:\.([0-9a-f]{8})-(\d+)-[0-9a-f]{8})?\.part$/;

/** Where an interrupted download keeps what has arrived. */
export function keptPath(path: string, checksum: string): string {
  return join(dirname(path), `${prefixOf(path)}${checksum.slice(0, CHECKSUM_DIGITS)}.part`);
}

/** Where a download that may be resumed writes. The name says whose it is: another process may not continue it. */
export function workingPath(path: string, checksum: string): string {
  const owner = `${machine()}-${process.pid}-${randomBytes(4).toString("hex")}`;
  return join(dirname(path), `${prefixOf(path)}${checksum.slice(0, CHECKSUM_DIGITS)}.${owner}.part`);
}

/**
 * Takes what an earlier download has kept, or left when its process was killed. Renames it, so that no other download
 * takes it. Null: there is nothing.
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

/** True where the process is gone. One of another machine may be alive. */
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
