import { dirname } from "node:path";
import { type Disk, type DiskStep, systemCode } from "./disk.ts";

/** More are forgotten all at once; each then costs an fsync the next time it is used. */
const MAX_KNOWN = 10_000;

/**
 * Makes directories that survive a crash. One that is there already may have been made a moment ago, by another thread
 * or by a process that was killed before it could sync the parent: so a parent is synced once for each directory that
 * is used for the first time here, not only for each one that is made here.
 */
export class DurableDirectories {
  readonly #disk: Disk;
  readonly #known = new Set<string>();
  readonly #fixed: readonly string[];

  /** `fixed` are known to be durable and stay. */
  constructor(disk: Disk, fixed: readonly string[]) {
    this.#disk = disk;
    this.#fixed = fixed;
    for (const path of fixed) this.#known.add(path);
  }

  /** The parent must be there. EEXIST is for the caller where something else than a directory stands at `path`. */
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

  /** Somebody removed it: the next `ensure` makes it anew. */
  forget(path: string): void {
    this.#known.delete(path);
  }
}
