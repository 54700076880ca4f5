import { extname } from "node:path";
import type { Transferable } from "node:worker_threads";
import { Refused } from "@tierkeep/schema/domain/refusals";
import { ThreadClient } from "../../threads/thread-client.ts";
import type { Change } from "../changes.ts";
import type { Durability, Faults } from "./connection.ts";
import { SqliteReader } from "./reads/reader.ts";
import type { ScanEnd } from "./reads/scan-turns.ts";
import { type Scan, scan, sent } from "./reads/scans.ts";
import { CatalogFormatError } from "./schema/migrations.ts";
import { type CatalogParts, SqliteCatalog } from "./sqlite-catalog.ts";
import { GroupQueue } from "./writes/group-queue.ts";
import { type GroupResult, SqliteWriter } from "./writes/writer.ts";

export interface SqliteCatalogOptions {
  /** The catalog file; its folder must exist. `-wal` and `-shm` files are next to it while it is open. */
  readonly path: string;
  readonly durability: Durability;
  /** Path of the space reserve; the caller maintains it. Default: none. */
  readonly spaceReserve?: string | undefined;
  /** Whether a catalog of an older format is copied before it is migrated. Default: true. */
  readonly migrationCopy?: boolean | undefined;
}

export interface InlineCatalogOptions extends SqliteCatalogOptions {
  /** Hooks around the writer's steps. */
  readonly faults?: Faults | undefined;
  /** Hooks around the reader's steps. */
  readonly readFaults?: Faults | undefined;
  readonly probeDelaysMs?: readonly number[] | undefined;
}

const READER_CACHE_KIB = 8 * 1024;
const SCAN_CACHE_KIB = 4 * 1024;

/**
 * Opens a catalog whose writes and scans run on one thread each, and indexed reads on the calling thread. The scan
 * thread starts with the first scan, and again after it has failed. Each `miscounts` scan, which reads the complete
 * catalog, runs on a separate thread so that other scans need not wait for it.
 *
 * @throws CatalogFormatError, or the error of SQLite that says why the file cannot be opened
 */
export async function openSqliteCatalog(options: SqliteCatalogOptions): Promise<SqliteCatalog> {
  const { path, durability, spaceReserve, migrationCopy } = options;
  let fatal: string | null = null;
  const data = { path, durability, spaceReserve, migrationCopy };
  const writer = startThread<string>("writes/writer-thread", data, () => {
    fatal = "The catalog's writer has failed. Restart the server.";
  });
  const epoch = await writer.opened.catch((error) => {
    throw openingError(error);
  });
  const startScanner = (onEnd: () => void) =>
    startThread("reads/scan-thread", { path, cacheKiB: SCAN_CACHE_KIB }, onEnd);
  let scanner: ThreadClient | null = null;
  const separateScans = new Set<Promise<unknown>>();
  const scanSeparately = async (method: Scan, args: readonly unknown[]) => {
    const client = startScanner(() => {});
    try {
      return (await client.call(method, args)) as ScanEnd;
    } finally {
      await client.close();
    }
  };
  const reader = new SqliteReader({ path, cacheKiB: READER_CACHE_KIB });
  const listeners = new Set<(seq: number) => void>();
  const run = async (changes: readonly Change[]) => {
    if (fatal !== null) throw new Refused("UNAVAILABLE", fatal);
    const [message, transfer] = forWriter(changes);
    try {
      return (await writer.call("run", [message], transfer)) as GroupResult;
    } catch (error) {
      throw new Refused(
        "UNAVAILABLE",
        "The catalog's writer failed, so it is unknown whether this change was made. Check before you repeat it.",
        { outcome: "unknown" },
        { cause: error },
      );
    }
  };
  return new SqliteCatalog({
    epoch,
    queue: new GroupQueue(run, announce(listeners)),
    reader,
    listeners,
    scan: async (method, args, turn, signal) => {
      if (method === "miscounts") {
        const scanning = scanSeparately(method, [args, turn]);
        separateScans.add(scanning);
        return scanning.finally(() => separateScans.delete(scanning));
      }
      scanner ??= startScanner(() => {
        scanner = null;
      });
      return (await scanner.call(method, [args, turn], undefined, signal)) as ScanEnd;
    },
    close: async () => {
      reader.close();
      await Promise.allSettled(separateScans);
      await scanner?.close();
      // Last: the last connection to close truncates the WAL, which is work for the writer's thread.
      await writer.close();
    },
  });
}

/** The same writer and reader on the calling thread. For tests, which can kill it between any two steps. */
export class InlineSqliteCatalog extends SqliteCatalog {
  readonly #writer: SqliteWriter;
  readonly #reader: SqliteReader;

  private constructor(parts: CatalogParts, writer: SqliteWriter) {
    super(parts);
    this.#writer = writer;
    this.#reader = parts.reader;
  }

  /** @throws CatalogFormatError, or SQLite's error for the file */
  static open(options: InlineCatalogOptions): InlineSqliteCatalog {
    const writer = new SqliteWriter(options);
    const { path, readFaults } = options;
    const reader = new SqliteReader({ path, cacheKiB: READER_CACHE_KIB, faults: readFaults });
    const listeners = new Set<(seq: number) => void>();
    const run = async (changes: readonly Change[]) => {
      const result = writer.run(changes);
      writer.checkpointIfLong();
      return result;
    };
    const parts: CatalogParts = {
      epoch: writer.epoch,
      queue: new GroupQueue(run, announce(listeners)),
      reader,
      listeners,
      scan: async (method, args, { maxRows }) => {
        const end = reader.runToEnd(scan(reader, method, args), maxRows);
        return end.ok ? { ...end, value: sent(method, end.value) } : end;
      },
      close: async () => {
        reader.close();
        writer.close();
      },
    };
    return new InlineSqliteCatalog(parts, writer);
  }

  /** Simulates the death of the process: uncommitted changes are lost, and pending calls are refused. */
  kill(): void {
    this.shut();
    this.#reader.close();
    this.#writer.kill();
  }
}

/** @param script path of a module relative to this one, without its extension: .ts in a clone, .js in the package */
function startThread<Opened>(script: string, data: unknown, onEnd: () => void): ThreadClient<Opened> {
  return new ThreadClient<Opened>({
    script: new URL(script + extname(import.meta.url), import.meta.url),
    worker: { workerData: data, resourceLimits: { maxYoungGenerationSizeMb: 4 } },
    keepsProcessAlive: "always",
    endedError: (cause) => (cause instanceof Error ? cause : new Error("A thread of the catalog has ended.")),
    closedError: () => new Error("The catalog is closed."),
    onEnd,
  });
}

/** Restores the class of the error, which does not cross threads. */
function openingError(error: unknown): unknown {
  return error instanceof Error && error.name === "CatalogFormatError"
    ? new CatalogFormatError(error.message)
    : error;
}

/**
 * Bytes are copied once and the copy is transferred: cloning a view would copy all memory that it is a view
 * of.
 */
function forWriter(changes: readonly Change[]): [readonly Change[], Transferable[]] {
  const transfer: Transferable[] = [];
  const message = changes.map((change) => {
    if (change.kind !== "write" || change.bytes === null) return change;
    const bytes = new Uint8Array(change.bytes);
    transfer.push(bytes.buffer);
    return { ...change, bytes };
  });
  return [message, transfer];
}

function announce(listeners: ReadonlySet<(seq: number) => void>): (seq: number) => void {
  return (seq) => {
    for (const listener of listeners) listener(seq);
  };
}
