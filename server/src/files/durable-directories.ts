import { dirname } from "node:path";
import { type Disk, type DiskStep, systemCode } from "./disk.ts";

/** Limit of the cache. When it is full it is emptied; each directory then costs an fsync at its next use. */
const MAX_KNOWN = 10_000;

/**
 * Makes directories that survive a crash. An existing directory may be new: made by another thread, or by a
 * process that was killed before it could sync the parent. So the parent is synced at the first use of each
 * directory, not only when this process makes it.
 */
export class DurableDirectories {
  readonly #disk: Disk;
  readonly #known = new Set<string>();
  readonly #fixed: readonly string[];

  /** `fixed`: directories that are known to be durable. */
  constructor(disk: Disk, fixed: readonly string[]) {
    this.#disk = disk;
    this.#fixed = fixed;
    for (const path of fixed) this.#known.add(path);
  }

  /**
   * Makes the directory where it is missing. Its parent must exist. Throws EEXIST where the path is something
   * other than a directory.
   */
  ensure(path: string, steps: { readonly mkdir: DiskStep; readonly parentFsync: DiskStep }): void {
    if (this.#known.has(path)) return;
    try {
      this.#disk.mkdir(steps.mkdir, path);
    } catch (error) {
      if (systemCode(error) !== "EEXIST" || this.#disk.lstat(path)?.kind !== "directory") throw error;
    }
    this.#disk.fsyncDirectory(steps.parentFsync, dirname(path));
    if (this.#known.size >= MAX_KNOWN) {
      this.#known.clear();
      for (const fixed of this.#fixed) this.#known.add(fixed);
    }
    this.#known.add(path);
  }

  /** The directory was removed: the next `ensure` makes it again. */
  forget(path: string): void {
    this.#known.delete(path);
  }
}
