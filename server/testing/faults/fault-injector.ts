import type { Faults } from "../../src/catalog/sqlite/connection.ts";
import type { Disk } from "../../src/files/disk.ts";
import { sqliteError } from "../../src/files/sqlite-failures.ts";

export const CODES = ["EIO", "ENOSPC", "EACCES"] as const;

/** Which call fails, counted from `arm`, and whether all later calls fail too. */
export interface Fault {
  readonly code: (typeof CODES)[number];
  /** From 1. Infinity: no call fails, and calls are counted. */
  readonly nth: number;
  readonly lasting: boolean;
}

/** SQLite's codes for them: SQLITE_IOERR_WRITE, SQLITE_FULL, SQLITE_READONLY. */
const SQLITE_CODES = { EIO: 778, ENOSPC: 13, EACCES: 8 };

/** Where calls failed. */
export type Place = "disk" | "catalog";

/** Makes a planned call of the disk or of the catalog file fail. */
export class FaultInjector {
  #fault: Fault | null = null;
  #calls = 0;
  readonly #struck = new Set<Place>();

  arm(fault: Fault): void {
    this.#fault = fault;
    this.#calls = 0;
    this.#struck.clear();
  }

  /** Removes the fault. Returns where calls failed; empty: there were fewer than `nth` calls. */
  lift(): ReadonlySet<Place> {
    this.#fault = null;
    return new Set(this.#struck);
  }

  /** Calls that could have failed between `arm` and `lift`. */
  get calls(): number {
    return this.#calls;
  }

  /** `close` never fails: the descriptor is closed in any case, and only a sync makes bytes durable. */
  disk(disk: Disk): Disk {
    const fails = (needsRoom: boolean) => this.#fails("disk", needsRoom);
    const fail = (name: string) => {
      const { code } = this.#fault as Fault;
      throw Object.assign(new Error(`${code}: made to fail, ${name}`), { code });
    };
    const around =
      <A extends readonly unknown[], R>(name: keyof Disk, needsRoom: boolean, call: (...args: A) => R) =>
      (...args: A): R => {
        if (!fails(needsRoom)) return call(...args);
        return fail(`${name} ${typeof args[0] === "string" ? args[0] : ""}`);
      };
    return {
      mkdir: around("mkdir", true, disk.mkdir),
      create: around("create", true, disk.create),
      append: (step, descriptor, bytes) => {
        if (!fails(true)) return disk.append(step, descriptor, bytes);
        // A full disk writes as much as fits.
        disk.append(step, descriptor, bytes.subarray(0, bytes.length >> 1));
        return fail(step);
      },
      chmod: around("chmod", false, disk.chmod),
      stamp: around("stamp", true, disk.stamp),
      fsync: around("fsync", true, disk.fsync),
      fsyncDirectory: around("fsyncDirectory", true, disk.fsyncDirectory),
      link: around("link", true, disk.link),
      rename: around("rename", true, disk.rename),
      unlink: around("unlink", false, disk.unlink),
      open: around("open", false, disk.open),
      read: around("read", false, disk.read),
      facts: around("facts", false, disk.facts),
      close: disk.close,
      lstat: around("lstat", false, disk.lstat),
      readdir: around("readdir", false, disk.readdir),
      names: around("names", false, disk.names),
    };
  }

  readonly writing: Faults = {
    before: (step, sql) => this.#statement(sql, step === "commit" || /^(INSERT|UPDATE|DELETE)/.test(sql)),
    // A COMMIT that reports an error may have happened.
    after: (step, sql) => {
      if (step === "commit" && this.#fault?.code === "EIO") this.#statement(`${sql}, done`, true);
    },
  };

  readonly reading: Faults = { before: (_step, sql) => this.#statement(sql, false) };

  #statement(sql: string, needsRoom: boolean): void {
    // SQLite ends the transaction in any case.
    if (sql === "ROLLBACK") return;
    if (!this.#fails("catalog", needsRoom)) return;
    const { code } = this.#fault as Fault;
    throw sqliteError(SQLITE_CODES[code], `made to fail with ${code}: ${sql}`);
  }

  /** True: this call fails. A full disk fails only calls that need space. */
  #fails(place: Place, needsRoom: boolean): boolean {
    const fault = this.#fault;
    if (fault === null || (fault.code === "ENOSPC" && !needsRoom)) return false;
    this.#calls += 1;
    if (fault.lasting ? this.#calls < fault.nth : this.#calls !== fault.nth) return false;
    this.#struck.add(place);
    return true;
  }
}
