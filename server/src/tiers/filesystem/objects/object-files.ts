import { createHash, type Hash } from "node:crypto";
import { dirname, join } from "node:path";
import { type Disk, systemCode } from "../../../files/disk.ts";
import type { DurableDirectories } from "../../../files/durable-directories.ts";
import { StorageError } from "../../storage-error.ts";
import type { WrittenObject } from "../../tier-store.ts";
import { isFanOut, isObjectId, type Layout } from "../layout.ts";
import { moveToQuarantine } from "./quarantine.ts";

/**
 * A long write is synced after this many bytes, so that its last fsync, and other work of its thread, waits
 * for a fraction of a second and not for gigabytes.
 */
const SYNC_EVERY_BYTES = 32 * 1024 * 1024;

const STEPS = { mkdir: "object.mkdir", parentFsync: "object.parent.fsync" } as const;

/**
 * An object while it is written. Open until it is finished or discarded; a failed write or fsync makes it
 * `failed`, and then it can only be discarded.
 */
export interface ObjectWrite {
  readonly path: string;
  readonly modifiedAt: number;
  readonly hash: Hash;
  /** Null: closed. */
  descriptor: number | null;
  sizeBytes: number;
  unsyncedBytes: number;
  /** A write or fsync failed: the content of the file is undefined, and the write is never retried. */
  failed: boolean;
}

/** One small object for `put`. */
export interface SmallObject {
  readonly object: string;
  readonly bytes: Uint8Array;
  readonly modifiedAt: number;
}

/** The object files below one root. All calls are synchronous and throw system errors. */
export class ObjectFiles {
  readonly #disk: Disk;
  readonly #layout: Layout;
  readonly #directories: DurableDirectories;

  constructor(disk: Disk, layout: Layout, directories: DurableDirectories) {
    this.#disk = disk;
    this.#layout = layout;
    this.#directories = directories;
  }

  /** Default of `mode`: readable by all users that can reach it. */
  begin(object: string, modifiedAt: number, mode?: number): ObjectWrite {
    return this.#begin(object, modifiedAt, false, mode);
  }

  append(write: ObjectWrite, bytes: Uint8Array): void {
    const descriptor = openDescriptor(write);
    attempt(write, () => this.#disk.append("object.append", descriptor, bytes));
    write.hash.update(bytes);
    write.sizeBytes += bytes.length;
    write.unsyncedBytes += bytes.length;
    if (write.unsyncedBytes >= SYNC_EVERY_BYTES) this.#sync(write, descriptor);
  }

  /** Durable when it returns. */
  finish(write: ObjectWrite): WrittenObject {
    this.#seal(write);
    this.#disk.fsyncDirectory("object.directory.fsync", dirname(write.path));
    return { sizeBytes: write.sizeBytes, checksum: write.hash.digest("hex") };
  }

  /** Deletes the file where possible. The caller deletes the object again in any case. */
  discard(write: ObjectWrite): void {
    this.#close(write);
    try {
      this.#disk.unlink("object.discard", write.path);
    } catch (error) {
      if (systemCode(error) === null) throw error;
    }
  }

  /**
   * Writes small objects, durable when it returns. After an error, none of the objects that it started
   * remains.
   *
   * A file that exists under a name was left by a crash and has the same bytes: complete, torn or empty,
   * synced or not. It is unlinked and written again. Comparing it with the bytes would read the page cache,
   * which may return pages that an earlier failed fsync has dropped. Writing into it would require it to be
   * writable, and change bytes for its readers. No link in the view can exist yet, because keys are published
   * after their object is settled; until then the catalog has the bytes, so nothing is lost while the name is
   * free.
   */
  put(objects: readonly SmallObject[]): void {
    const writes: ObjectWrite[] = [];
    try {
      // All writes precede the first fsync, so that the file system commits them together.
      for (const { object, bytes, modifiedAt } of objects) {
        const write = this.#begin(object, modifiedAt, true);
        writes.push(write);
        this.append(write, bytes);
      }
      for (const write of writes) this.#seal(write);
      for (const directory of new Set(writes.map((write) => dirname(write.path)))) {
        this.#disk.fsyncDirectory("object.directory.fsync", directory);
      }
    } catch (error) {
      for (const write of writes) this.discard(write);
      throw error;
    }
  }

  /** Returns the size in bytes; null: the object does not exist. */
  stat(object: string): number | null {
    const facts = this.#disk.lstat(this.#layout.objectPath(object));
    if (facts?.kind === "file") return facts.sizeBytes;
    this.requireMounted();
    return null;
  }

  /** Durable when it returns. */
  remove(objects: readonly string[]): void {
    const directories = new Set<string>();
    for (const object of objects) {
      const path = this.#layout.objectPath(object);
      // Also where the name no longer exists: the call that removed it may have died before the sync.
      directories.add(dirname(path));
      try {
        this.#disk.unlink("object.unlink", path);
      } catch (error) {
        if (systemCode(error) !== "ENOENT") throw error;
        this.requireMounted();
      }
    }
    for (const directory of directories) {
      try {
        this.#disk.fsyncDirectory("object.unlink.fsync", directory);
      } catch (error) {
        if (systemCode(error) !== "ENOENT") throw error;
      }
    }
  }

  fanOuts(): string[] {
    this.requireMounted();
    return (this.#disk.readdir(this.#layout.objects) ?? []).filter(isFanOut).sort();
  }

  listFanOut(fanOut: string): string[] {
    const names = this.#disk.readdir(join(this.#layout.objects, fanOut)) ?? [];
    return names.filter((name) => isObjectId(name) && name.startsWith(fanOut)).sort();
  }

  quarantine(object: string): void {
    const path = this.#layout.objectPath(object);
    if (this.#disk.lstat(path) === null) {
      this.requireMounted();
      return;
    }
    moveToQuarantine(this.#disk, this.#layout, path, "object.quarantine.rename");
    this.#disk.fsyncDirectory("object.quarantine.fsync", this.#layout.quarantine);
    this.#disk.fsyncDirectory("object.quarantine.source.fsync", dirname(path));
  }

  /** Distinguishes a missing object from a disk that is not mounted. @throws StorageError UNAVAILABLE */
  requireMounted(): void {
    if (this.#disk.lstat(this.#layout.objects)?.kind === "directory") return;
    throw new StorageError(
      "UNAVAILABLE",
      `The folder ${this.#layout.objects} is missing. Mount its disk or restore the folder, then try again.`,
    );
  }

  #begin(object: string, modifiedAt: number, replace: boolean, mode?: number): ObjectWrite {
    const path = this.#layout.objectPath(object);
    const descriptor = this.#createIn(path, replace, mode);
    return {
      path,
      modifiedAt,
      hash: createHash("sha256"),
      descriptor,
      sizeBytes: 0,
      unsyncedBytes: 0,
      failed: false,
    };
  }

  #createIn(path: string, replace: boolean, mode: number | undefined): number {
    try {
      this.#directories.ensure(dirname(path), STEPS);
      return this.#create(path, replace, mode);
    } catch (error) {
      if (systemCode(error) === "ENOENT") this.requireMounted();
      throw error;
    }
  }

  #create(path: string, replace: boolean, mode: number | undefined): number {
    try {
      return this.#disk.create("object.create", path, mode);
    } catch (error) {
      const code = systemCode(error);
      if (code === "EEXIST" && replace) {
        this.#disk.unlink("object.replace", path);
      } else if (code === "ENOENT") {
        this.#directories.forget(dirname(path));
        this.#directories.ensure(dirname(path), STEPS);
      } else {
        throw error;
      }
      return this.#disk.create("object.create", path, mode);
    }
  }

  /** Makes everything about the file durable except its name. */
  #seal(write: ObjectWrite): void {
    const descriptor = openDescriptor(write);
    attempt(write, () => this.#disk.stamp("object.stamp", descriptor, write.modifiedAt));
    this.#sync(write, descriptor);
    this.#close(write);
  }

  #sync(write: ObjectWrite, descriptor: number): void {
    attempt(write, () => this.#disk.fsync("object.fsync", descriptor));
    write.unsyncedBytes = 0;
  }

  #close(write: ObjectWrite): void {
    const descriptor = write.descriptor;
    write.descriptor = null;
    if (descriptor !== null) this.#disk.close(descriptor);
  }
}

function openDescriptor(write: ObjectWrite): number {
  if (write.failed || write.descriptor === null)
    throw new Error(`${write.path} was abandoned after an earlier error`);
  return write.descriptor;
}

function attempt(write: ObjectWrite, call: () => void): void {
  try {
    call();
  } catch (error) {
    write.failed = true;
    throw error;
  }
}
