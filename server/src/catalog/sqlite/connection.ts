import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { createPrivateFile } from "../../files/private-file.ts";

/** fsync: what is committed survives a power cut. os: it survives the process, and reaches the disk when the system sees fit. */
export type Durability = "fsync" | "os";

export type Cell = string | number | null | Uint8Array;

/** Columns by position: half the time of rows with names, at the sizes that pages have. */
export type Row = readonly Cell[];

export interface Statement {
  all(...parameters: SQLInputValue[]): Row[];
  get(...parameters: SQLInputValue[]): Row | undefined;
  /** How many rows changed. */
  run(...parameters: SQLInputValue[]): number;
}

/**
 * A seam for tests: called around every step of a connection. What `before` throws happens instead of the step; what
 * `after` throws happens although the step took place.
 */
export interface Faults {
  before?(step: "begin" | "statement" | "commit", sql: string): void;
  after?(step: "begin" | "statement" | "commit", sql: string): void;
}

export interface ConnectionOptions {
  readonly path: string;
  readonly durability: Durability;
  /** Pages that it may keep in memory, in KiB. */
  readonly cacheKiB: number;
  /** Refuses every change on this connection. */
  readonly readOnly?: boolean | undefined;
  readonly faults?: Faults | undefined;
}

/** How long a statement waits for another connection's lock, in ms. Only recovery and checkpoints ever hold one against us. */
const BUSY_TIMEOUT_MS = 5_000;

/** One connection to a catalog file, with its statements prepared once. */
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
      // Before the first table: smaller pages make smaller frames, and most of a commit's pages are touched in one place only.
      if (options.readOnly !== true) this.#db.exec(`PRAGMA page_size = ${PAGE_BYTES}`);
      this.#db.exec("PRAGMA journal_mode = WAL");
      this.#db.exec(`PRAGMA synchronous = ${options.durability === "fsync" ? "FULL" : "NORMAL"}`);
      this.#db.exec(`PRAGMA cache_size = -${options.cacheKiB}`);
      this.#db.exec("PRAGMA temp_store = MEMORY");
      // Checkpoints run between groups, never within a COMMIT that somebody waits for.
      this.#db.exec("PRAGMA wal_autocheckpoint = 0");
      // What a burst has made of the WAL is given back the next time it starts over.
      this.#db.exec(`PRAGMA journal_size_limit = ${WAL_KEPT_BYTES}`);
      if (options.readOnly === true) this.#db.exec("PRAGMA query_only = 1");
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** The prepared statement, the same one for the same text. */
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

  /** Runs statements that are not worth keeping. */
  exec(sql: string): void {
    this.#db.exec(sql);
  }

  /** Makes `compute` callable from SQL. It must give the same answer for the same arguments. */
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
