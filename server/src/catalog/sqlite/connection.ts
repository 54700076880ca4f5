import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { createPrivateFile } from "../../files/private-file.ts";

/**
 * fsync: a commit survives a power failure. os: it survives the end of the process, and the system decides
 * when it reaches the disk.
 */
export type Durability = "fsync" | "os";

export type Cell = string | number | null | Uint8Array;

/** Cells by position: reading them takes half the time of rows with named columns, at page sizes. */
export type Row = readonly Cell[];

export interface Statement {
  all(...parameters: SQLInputValue[]): Row[];
  get(...parameters: SQLInputValue[]): Row | undefined;
  /** Returns the number of changed rows. */
  run(...parameters: SQLInputValue[]): number;
}

/**
 * Hooks for tests, called around each step of a connection. An error thrown by `before` replaces the step;
 * one thrown by `after` follows the step.
 */
export interface Faults {
  before?(step: "begin" | "statement" | "commit", sql: string): void;
  after?(step: "begin" | "statement" | "commit", sql: string): void;
}

export interface ConnectionOptions {
  readonly path: string;
  readonly durability: Durability;
  /** Memory limit of the page cache, KiB. */
  readonly cacheKiB: number;
  /** Rejects every change on this connection. */
  readonly readOnly?: boolean | undefined;
  readonly faults?: Faults | undefined;
}

/**
 * How long a statement waits for another connection's lock, ms. Only recovery and checkpoints hold one that
 * blocks us.
 */
const BUSY_TIMEOUT_MS = 5_000;

/** One connection to a catalog file, with a cache of prepared statements. */
export class Connection {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, Statement>();
  readonly #faults: Faults | undefined;

  constructor(options: ConnectionOptions) {
    this.#faults = options.faults;
    if (options.readOnly !== true) createPrivateFile(options.path);
    this.#db = new DatabaseSync(options.path, {
      timeout: BUSY_TIMEOUT_MS,
      enableForeignKeyConstraints: true,
    });
    try {
      // Must precede the first table. Smaller pages make smaller WAL frames: a commit changes most of its
      // pages in one place only.
      if (options.readOnly !== true) this.#db.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
      this.#db.exec("PRAGMA journal_mode = WAL");
      this.#db.exec(`PRAGMA synchronous = ${options.durability === "fsync" ? "FULL" : "NORMAL"}`);
      this.#db.exec(`PRAGMA cache_size = -${options.cacheKiB}`);
      this.#db.exec("PRAGMA temp_store = MEMORY");
      // Checkpoints run between groups, never inside a COMMIT that a caller waits for.
      this.#db.exec("PRAGMA wal_autocheckpoint = 0");
      // Shrinks a WAL that a burst has enlarged, the next time it restarts.
      this.#db.exec(`PRAGMA journal_size_limit = ${WAL_KEPT_BYTES}`);
      if (options.readOnly === true) this.#db.exec("PRAGMA query_only = 1");
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Returns the prepared statement of a text, prepared once. */
  statement(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      const prepared = this.#db.prepare(sql);
      prepared.setReturnArrays(true);
      statement = this.#faults === undefined ? plain(prepared) : faulty(prepared, sql, this.#faults);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Runs statements that are not worth caching. */
  exec(sql: string): void {
    this.#db.exec(sql);
  }

  /** Makes `compute` callable from SQL. It must be deterministic. */
  define(name: string, compute: (...values: Cell[]) => number): void {
    this.#db.function(name, { deterministic: true }, compute as (...values: unknown[]) => number);
  }

  get inTransaction(): boolean {
    return this.#db.isTransaction;
  }

  get isOpen(): boolean {
    return this.#db.isOpen;
  }

  close(): void {
    if (!this.#db.isOpen) return;
    this.#statements.clear();
    this.#db.close();
  }
}

const PAGE_BYTES = 2048;

const WAL_KEPT_BYTES = 16 * 1024 * 1024;

function plain(prepared: StatementSync): Statement {
  return {
    all: (...parameters) => prepared.all(...parameters) as unknown as Row[],
    get: (...parameters) => prepared.get(...parameters) as unknown as Row | undefined,
    run: (...parameters) => prepared.run(...parameters).changes as number,
  };
}

function faulty(prepared: StatementSync, sql: string, faults: Faults): Statement {
  const step = sql.startsWith("BEGIN") ? "begin" : sql === "COMMIT" ? "commit" : "statement";
  const statement = plain(prepared);
  const around = <T>(run: () => T): T => {
    faults.before?.(step, sql);
    const result = run();
    faults.after?.(step, sql);
    return result;
  };
  return {
    all: (...parameters) => around(() => statement.all(...parameters)),
    get: (...parameters) => around(() => statement.get(...parameters)),
    run: (...parameters) => around(() => statement.run(...parameters)),
  };
}
