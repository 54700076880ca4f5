import type { Faults } from "../../src/catalog/sqlite/connection.ts";
import type { Disk } from "../../src/files/disk.ts";
import { sqliteError } from "../../src/files/sqlite-failures.ts";

export const CODES = ["EIO", "ENOSPC", "EACCES"] as const;

/** The call that fails, counted from the arming, and whether all later calls fail too. */
export interface Fault {
  readonly code: (typeof CODES)[number];
  /** From 1. With Infinity no call fails, and the calls are counted. */
  readonly nth: number;
  readonly lasting: boolean;
}

/** The SQLite errors for these codes: SQLITE_IOERR_WRITE, SQLITE_FULL, SQLITE_READONLY. */
const SQLITE_CODES = { EIO: 778, ENOSPC: 13, EACCES: 8 };

/** Where a call failed. */
export type Place = "disk" | "catalog";

/** Makes chosen calls of a disk and of a catalog fail. */
export class FaultInjector {
  #fault: Fault | null = null;
  #calls = 0;
  readonly #struck = new Set<Place>();

  arm(fault: Fault): void {
    this.#fault = fault;
    this.#calls = 0;
    this.#struck.clear();
  }

  /** Disarms the fault. Returns where calls failed: nowhere if there were fewer calls. */
  lift(): ReadonlySet<Place> {
    this.#fault = null;
    return new Set(this.#struck);
  }

  /** The number of calls since the arming that could have failed. */
  get calls(): number {
    return this.#calls;
  }

  /** Wraps a disk. `close` never fails, because the descriptor is closed either way and only a sync makes bytes durable. */
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
        // Like a full disk, it writes a part of the bytes.
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
      rmdir: around("rmdir", false, disk.rmdir),
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
    // A COMMIT may succeed although it returns an error.
    after: (step, sql) => {
      if (step === "commit" && this.#fault?.code === "EIO") this.#statement(`${sql}, done`, true);
    },
  };

  readonly reading: Faults = { before: (_step, sql) => this.#statement(sql, false) };

  #statement(sql: string, needsRoom: boolean): void {
    // SQLite ends the transaction even if ROLLBACK fails.
    if (sql === "ROLLBACK") return;
    if (!this.#fails("catalog", needsRoom)) return;
    const { code } = this.#fault as Fault;
    throw sqliteError(SQLITE_CODES[code], `made to fail with ${code}: ${sql}`);
  }

  /** Returns whether this call fails. On a full disk only calls that need room fail. */
  #fails(place: Place, needsRoom: boolean): boolean {
    const fault = this.#fault;
    if (fault === null || (fault.code === "ENOSPC" && !needsRoom)) return false;
    this.#calls += 1;
    if (fault.lasting ? this.#calls < fault.nth : this.#calls !== fault.nth) return false;
    this.#struck.add(place);
    return true;
  }
}
