import {
  type BigIntStats,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  opendirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from "node:fs";

/**
 * Names of all steps in which the tier driver changes a disk. A model check crashes before each of them. One
 * operation may run a step many times, e.g. one append per chunk and one link per artifact.
 */
export const DISK_STEPS = [
  "store.mkdir",
  "store.parent.fsync",
  "object.mkdir",
  "object.parent.fsync",
  "object.replace",
  "object.create",
  "object.append",
  "object.stamp",
  "object.fsync",
  "object.directory.fsync",
  "object.discard",
  "object.unlink",
  "object.unlink.fsync",
  "object.quarantine.rename",
  "object.quarantine.fsync",
  "object.quarantine.source.fsync",
  "view.mkdir",
  "view.parent.fsync",
  "view.temporary.unlink",
  "view.sidecar.create",
  "view.sidecar.append",
  "view.sidecar.fsync",
  "view.sidecar.rename",
  "view.link",
  "view.link.temporary",
  "view.link.rename",
  "view.folder.unlink",
  "view.folder.rmdir",
  "view.directory.fsync",
  "view.old.unlink",
  "view.old.fsync",
  "view.quarantine.rename",
  "view.quarantine.fsync",
  "take.link",
  "take.mode",
  "take.undo",
  "take.fsync",
  "take.directory.fsync",
] as const;

/** Further steps of a backup: changes to files that are not objects, and to the backup's folder. */
export const BACKUP_STEPS = [
  "backup.mkdir",
  "backup.file.create",
  "backup.file.mode",
  "backup.file.append",
  "backup.file.fsync",
  "backup.file.rename",
  "backup.file.unlink",
  "backup.link",
  "backup.directory.fsync",
] as const;

export type DiskStep = (typeof DISK_STEPS)[number] | (typeof BACKUP_STEPS)[number];

/** Facts about the file at a path or behind a descriptor. */
export interface Facts {
  readonly kind: "file" | "directory" | "other";
  /** Device and inode: equal for two paths exactly when they are links of one file. */
  readonly identity: string;
  readonly sizeBytes: number;
  /** ns since the epoch: changes with any write. */
  readonly modifiedNs: bigint;
  /** ms since the epoch: changes with the bytes, the mode or the names. */
  readonly changedMs: number;
  /** Number of names of the file. */
  readonly links: number;
  /** Permission bits. */
  readonly mode: number;
}

/**
 * Synchronous disk calls, for worker threads and model checks. A call that changes something names its step.
 * No call follows a symbolic link in the last part of a path. Errors are Node's system errors, with `code`.
 */
export interface Disk {
  /** The umask narrows `mode`. Default: 0777. */
  mkdir(step: DiskStep, path: string, mode?: number): void;
  /** Creates a read-only file, open for appending. EEXIST where the path exists. Default of `mode`: 0444. */
  create(step: DiskStep, path: string, mode?: number): number;
  /** Appends all of `bytes`. */
  append(step: DiskStep, descriptor: number, bytes: Uint8Array): void;
  /** Sets the file's modification time, ms since the epoch. */
  stamp(step: DiskStep, descriptor: number, modifiedAt: number): void;
  chmod(step: DiskStep, descriptor: number, mode: number): void;
  fsync(step: DiskStep, descriptor: number): void;
  fsyncDirectory(step: DiskStep, path: string): void;
  link(step: DiskStep, existing: string, path: string): void;
  rename(step: DiskStep, from: string, to: string): void;
  unlink(step: DiskStep, path: string): void;
  /** Removes an empty directory. ENOTEMPTY where it has names. */
  rmdir(step: DiskStep, path: string): void;
  /** Opens a file for reading; null: the path does not exist. */
  open(path: string): number | null;
  /** Returns the number of bytes read into `into`, 0 at the end. */
  read(descriptor: number, into: Uint8Array, position: number): number;
  facts(descriptor: number): Facts;
  close(descriptor: number): void;
  /** Null: the path does not exist. */
  lstat(path: string): Facts | null;
  /** Names in a directory; null: it does not exist. */
  readdir(path: string): string[] | null;
  /** The same names one by one, in no order and in constant memory. */
  names(path: string): Iterable<string>;
}

export const realDisk: Disk = {
  mkdir: (_step, path, mode) => mkdirSync(path, { mode }),
  create: (_step, path, mode = 0o444) => openSync(path, "wx", mode),
  append: (_step, descriptor, bytes) => {
    for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
  },
  stamp: (_step, descriptor, modifiedAt) => futimesSync(descriptor, modifiedAt / 1000, modifiedAt / 1000),
  chmod: (_step, descriptor, mode) => fchmodSync(descriptor, mode),
  fsync: (_step, descriptor) => fsyncSync(descriptor),
  fsyncDirectory: (_step, path) => {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  },
  link: (_step, existing, path) => linkSync(existing, path),
  rename: (_step, from, to) => renameSync(from, to),
  unlink: (_step, path) => unlinkSync(path),
  rmdir: (_step, path) => rmdirSync(path),
  // O_NONBLOCK: opening a foreign named pipe must not wait for a writer.
  open: (path) =>
    orNull(() => openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)),
  read: (descriptor, into, position) => readSync(descriptor, into, 0, into.length, position),
  facts: (descriptor) => factsOf(fstatSync(descriptor, { bigint: true })),
  close: (descriptor) => closeSync(descriptor),
  lstat: (path) => {
    const stats = orNull(() => lstatSync(path, { bigint: true, throwIfNoEntry: false }));
    return stats ? factsOf(stats) : null;
  },
  readdir: (path) => orNull(() => readdirSync(path)),
  names: namesIn,
};

function* namesIn(path: string): Generator<string> {
  const directory = orNull(() => opendirSync(path, { bufferSize: 512 }));
  if (directory === null) return;
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) yield entry.name;
  } finally {
    directory.closeSync();
  }
}

/** Returns the disk for DURABILITY=os, without any fsync. Only this function implements that setting. */
export function withoutFsync(disk: Disk): Disk {
  return { ...disk, fsync: () => {}, fsyncDirectory: () => {} };
}

/** Returns true if no space is left. EFBIG: the file size limit of this process or of the file system. */
export function isDiskFull(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT", "EFBIG"].includes(systemCode(error) ?? "");
}

/** Returns the code of a system error ("ENOENT", …); null: it is not a system error. */
export function systemCode(error: unknown): string | null {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : null;
}

function orNull<T>(call: () => T): T | null {
  try {
    return call();
  } catch (error) {
    // ENOTDIR: a file is in place of a parent directory, so the path does not exist.
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw error;
  }
}

function factsOf(stats: BigIntStats): Facts {
  return {
    kind: stats.isFile() ? "file" : stats.isDirectory() ? "directory" : "other",
    identity: `${stats.dev}:${stats.ino}`,
    sizeBytes: Number(stats.size),
    modifiedNs: stats.mtimeNs,
    changedMs: Number(stats.ctimeNs / 1_000_000n),
    links: Number(stats.nlink),
    mode: Number(stats.mode & 0o7777n),
  };
}
