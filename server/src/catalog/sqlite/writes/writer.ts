import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import type { RefusalRecord } from "@tierkeep/schema/domain/refusals";
import { FolderWatch } from "../../../files/folder-watch.ts";
import { SpaceReserve } from "../../../files/space-reserve.ts";
import { type FailureKind, failureKind, hasNoSpaceForIndex } from "../../../files/sqlite-failures.ts";
import { grows, isRecordChange, type RecordChange } from "../../changes/all-changes.ts";
import type { Change } from "../../changes.ts";
import type { ChangeOutcome } from "../../commit/run-group.ts";
import type { StatementChange } from "../../upkeep-changes.ts";
import { Connection, type Durability, type Faults } from "../connection.ts";
import { migrate } from "../schema/migrations.ts";
import { ChangeWrites } from "./change-writes.ts";

export interface WriterOptions {
  readonly path: string;
  readonly durability: Durability;
  /** Path of the space reserve. Default: none. */
  readonly spaceReserve?: string | undefined;
  /** Whether a catalog of an older format is copied before it is migrated. Default: true. */
  readonly migrationCopy?: boolean | undefined;
  readonly faults?: Faults | undefined;
  /**
   * Delays between attempts to find out whether a failed COMMIT took effect, ms. Default: about four seconds
   * in total.
   */
  readonly probeDelaysMs?: readonly number[] | undefined;
}

export interface GroupResult {
  readonly outcomes: readonly ChangeOutcome[];
  /** Newest seq in the log where the group wrote events; otherwise null. */
  readonly lastSeq: number | null;
}

const PROBE_DELAYS_MS = [0, 20, 50, 100, 250, 500, 1_000, 2_000];

/** Number of WAL pages that are not in the catalog file yet, at which a checkpoint runs. */
const CHECKPOINT_PAGES = 1_000;

const CACHE_KIB = 12 * 1024;

const FULL: RefusalRecord = {
  code: "STORAGE_FULL",
  message:
    "There is no space left for the catalog. Nothing was changed. Purge artifacts or free some space, then try again.",
  facts: {},
};
const NOT_WRITABLE: RefusalRecord = {
  code: "UNAVAILABLE",
  message: "The catalog cannot be written right now. Nothing was changed. Try again.",
  facts: {},
};
const UNKNOWN: RefusalRecord = {
  code: "UNAVAILABLE",
  message:
    "The catalog's disk failed, so it is unknown whether this change was made. Check before you repeat it.",
  facts: { outcome: "unknown" },
};
const STOPPED: RefusalRecord = {
  code: "UNAVAILABLE",
  message:
    "The catalog rejects changes while its disk fails. Nothing was changed. Repair the disk, then try again.",
  facts: {},
};

/**
 * A group failed as a unit. It is rolled back, unless `committing`: its COMMIT failed and may have taken
 * effect.
 */
class GroupFailed extends Error {
  readonly kind: FailureKind;
  readonly committing: boolean;
  readonly outcomes: readonly ChangeOutcome[];
  readonly commitId: string;

  constructor(cause: unknown, committing: boolean, outcomes: readonly ChangeOutcome[], commitId: string) {
    super("group failed", { cause });
    this.kind = failureKind(cause);
    this.committing = committing;
    this.outcomes = outcomes;
    this.commitId = commitId;
  }
}

/**
 * The only connection that changes a catalog, for one thread. A group of changes is one transaction. No
 * outcome is returned before its COMMIT.
 *
 * States:
 * - writing: groups are committed.
 * - sparing: the disk was full and the space reserve is not complete. Changes that need more space are
 *   refused with STORAGE_FULL; those that free space run, on slices of the reserve. Ends when the reserve is
 *   complete again.
 * - stopped: a COMMIT failed with an I/O error, and no later commit has succeeded on the file, so its outcome
 *   is unknown. Every group first probes with a commit of its own, and is refused until that succeeds.
 * - closed: `close` or `kill`.
 *
 * A group is also refused while the catalog's folder is not at its path.
 */
export class SqliteWriter {
  readonly epoch: string;
  readonly #connection: Connection;
  readonly #changes: ChangeWrites;
  readonly #probeDelaysMs: readonly number[];
  readonly #spaceReserve: SpaceReserve | null;
  readonly #folder: FolderWatch;
  /** The space reserve is not complete: space is left only for changes that free some. */
  #sparing = false;
  /** The outcome of a COMMIT is unknown: no change can be made until a commit succeeds on the file again. */
  #stopped = false;

  /**
   * Creates the catalog or migrates it to the newest format. @throws CatalogFormatError, or SQLite's error for
   * the file
   */
  constructor(options: WriterOptions) {
    this.#probeDelaysMs = options.probeDelaysMs ?? PROBE_DELAYS_MS;
    this.#spaceReserve = options.spaceReserve === undefined ? null : new SpaceReserve(options.spaceReserve);
    this.#connection = this.#connect(options);
    this.#folder = new FolderWatch(dirname(options.path));
    try {
      this.#migrate(options);
      this.epoch = this.#meta("epoch");
      this.#changes = new ChangeWrites(this.#connection);
    } catch (error) {
      this.#connection.close();
      throw error;
    }
  }

  /** On a full disk, uses the space reserve for the index of the WAL. */
  #connect(options: WriterOptions): Connection {
    const connect = () => new Connection({ ...options, cacheKiB: CACHE_KIB });
    try {
      return connect();
    } catch (error) {
      if (!hasNoSpaceForIndex(error) || !this.#spaceReserve?.release()) throw error;
      return connect();
    }
  }

  /** On a full disk, uses the space reserve. */
  #migrate({ path, migrationCopy }: WriterOptions): void {
    let copies = migrationCopy;
    for (;;) {
      try {
        migrate(this.#connection, path, { copies });
        return;
      } catch (error) {
        if (failureKind(error) !== "full" || !this.#spaceReserve?.release()) throw error;
        copies = false; // It is made already.
      }
    }
  }

  run(changes: readonly Change[]): GroupResult {
    if (this.#stopped && this.#probe() === null) return refuseAll(changes, STOPPED);
    this.#stopped = false;
    const problem = this.#folder.problemNow();
    if (problem !== null)
      return refuseAll(changes, { code: "TIER_UNAVAILABLE", message: problem, facts: {} });
    this.#sparing = this.#spaceReserve?.released ?? false;
    try {
      return this.#attempt(changes);
    } catch (error) {
      if (!(error instanceof GroupFailed)) throw error;
      return this.#afterFailure(changes, error);
    }
  }

  /** Runs a checkpoint once the WAL has many pages. Runs between groups, so that no COMMIT waits for it. */
  checkpointIfLong(): void {
    if (this.#stopped) return;
    // A failed checkpoint changes nothing, and the next one repeats it.
    try {
      const [, inWal = 0, done = 0] = this.#connection
        .statement("PRAGMA wal_checkpoint(NOOP)")
        .get() as number[];
      if (inWal - done < CHECKPOINT_PAGES) return;
      this.#connection.statement("PRAGMA wal_checkpoint(PASSIVE)").get();
    } catch (error) {
      // A WAL that cannot restart grows with every purge.
      if (failureKind(error) === "full" && this.#sparing) this.#spaceReserve?.release();
    }
  }

  close(): void {
    this.#connection.close();
  }

  /** Closes immediately, also within a transaction, which is rolled back. */
  kill(): void {
    if (this.#connection.isOpen && this.#connection.inTransaction) this.#connection.exec("ROLLBACK");
    this.#connection.close();
  }

  #attempt(changes: readonly Change[]): GroupResult {
    const commitId = randomBytes(16).toString("hex");
    let committing = false;
    let outcomes: readonly ChangeOutcome[] = [];
    try {
      this.#step("BEGIN IMMEDIATE");
      const before = this.#changeCount();
      outcomes = this.#all(changes);
      this.#changes.flush();
      // A group without changes writes no commit id, so refusals cost no fsync.
      if (this.#changeCount() !== before) {
        this.#connection.statement("UPDATE meta SET commit_id = ?").run(commitId);
      }
      committing = true;
      this.#step("COMMIT");
    } catch (error) {
      this.#rollBack();
      throw new GroupFailed(error, committing, outcomes, commitId);
    }
    return { outcomes, lastSeq: this.#changes.committed() };
  }

  #all(changes: readonly Change[]): readonly ChangeOutcome[] {
    const outcomes: ChangeOutcome[] = [];
    let records: RecordChange[] = [];
    const runRecords = () => {
      outcomes.push(...this.#changes.runGroup(records, this.#sparing ? FULL : null));
      records = [];
    };
    for (const change of changes) {
      if (isRecordChange(change)) {
        records.push(change);
      } else {
        runRecords();
        outcomes.push(this.#statement(change));
      }
    }
    runRecords();
    return outcomes;
  }

  #statement(change: StatementChange): ChangeOutcome {
    if (this.#sparing && change.kind === "stage") return { ok: false, refusal: FULL };
    return { ok: true, result: this.#changes.runStatement(change) };
  }

  #afterFailure(changes: readonly Change[], failed: GroupFailed): GroupResult {
    if (failed.committing && failed.kind === "io") return this.#findOut(changes, failed);
    if (failed.kind === "io" || failed.kind === "busy") return refuseAll(changes, NOT_WRITABLE);
    if (changes.length > 1) return this.#oneByOne(changes);
    if (failed.kind === "full") {
      const mayHaveRoom = changes.every((change) => !fillsUp(change));
      return mayHaveRoom && this.#spaceReserve?.release() ? this.run(changes) : refuseAll(changes, FULL);
    }
    return { outcomes: [{ ok: false, failure: described(failed.cause) }], lastSeq: null };
  }

  #oneByOne(changes: readonly Change[]): GroupResult {
    const outcomes: ChangeOutcome[] = [];
    let lastSeq: number | null = null;
    for (const change of changes) {
      const alone = this.run([change]);
      outcomes.push(...alone.outcomes);
      lastSeq = alone.lastSeq ?? lastSeq;
    }
    return { outcomes, lastSeq };
  }

  /**
   * After an I/O error in COMMIT, the group's frames may be in the WAL, and may reappear when it is next
   * read. Only a later successful commit on the same file shows which. Until then no caller gets an outcome.
   */
  #findOut(changes: readonly Change[], failed: GroupFailed): GroupResult {
    for (const delay of this.#probeDelaysMs) {
      if (delay > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delay);
      const newest = this.#probe();
      if (newest === null) continue;
      if (newest !== failed.commitId) return refuseAll(changes, NOT_WRITABLE);
      return { outcomes: failed.outcomes, lastSeq: this.#changes.lastSeq };
    }
    this.#stopped = true;
    return refuseAll(changes, UNKNOWN);
  }

  /**
   * Commits a probe. Returns the id of the last group that took effect; null where the file accepts no
   * commit.
   */
  #probe(): string | null {
    try {
      this.#step("BEGIN IMMEDIATE");
      const newest = this.#meta("commit_id");
      this.#connection.statement("UPDATE meta SET probe = ?").run(randomBytes(8).toString("hex"));
      this.#step("COMMIT");
      this.#changes.reload();
      return newest;
    } catch {
      this.#rollBack();
      return null;
    }
  }

  #rollBack(): void {
    this.#changes.rolledBack();
    // SQLite may have rolled back itself. After a failed ROLLBACK nothing is committed either.
    try {
      if (this.#connection.inTransaction) this.#step("ROLLBACK");
    } catch {}
  }

  #step(sql: string): void {
    this.#connection.statement(sql).run();
  }

  #changeCount(): number {
    return this.#connection.statement("SELECT total_changes()").get()?.[0] as number;
  }

  #meta(column: "epoch" | "commit_id"): string {
    return this.#connection.statement(`SELECT ${column} FROM meta`).get()?.[0] as string;
  }
}

/**
 * Returns true if a change needs more space: it neither frees space, reports a problem nor ends something. A
 * lifecycle run purges before it moves.
 */
function fillsUp(change: Change): boolean {
  return isRecordChange(change) ? grows(change) : change.kind === "stage";
}

function refuseAll(changes: readonly Change[], refusal: RefusalRecord): GroupResult {
  return { outcomes: changes.map(() => ({ ok: false, refusal })), lastSeq: null };
}

function described(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
