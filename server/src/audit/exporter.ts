import type { FileHandle } from "node:fs/promises";
import type { LifecycleEvent } from "@tierkeep/schema/domain/events";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Catalog } from "../catalog/catalog.ts";
import type { ExportState } from "../catalog/rows.ts";
import { AuditLog } from "./audit-log.ts";
import { ExportLag } from "./export-lag.ts";
import type { Sync } from "./log-file.ts";
import type { SigningKey } from "./signing-key.ts";

/** A pause after a commit, so that a burst of events costs one sync and one commit of the state. */
const BATCH_DELAY_MS = 50;
const RETRY_MS = 1000;
const BATCH_SIZE = 500;
/** How long a purge waits to hear whether the log can be written. */
const WAIT_TIMEOUT_MS = 10_000;
/** Purges are refused once an event has waited longer than this. */
const MAX_LAG_SECONDS = 60;

export interface AuditExporterParts {
  readonly catalog: Catalog;
  /** Where the log's files stand; made when it is not there. */
  readonly directory: string;
  /** Signs what was written. */
  readonly key: SigningKey;
  /** A file of the log that has this many bytes is full, and another one is begun. Default: none ever is. */
  readonly segmentBytes?: number | null | undefined;
  /** Makes a file durable. Default: its fsync, one at a time on one of libuv's threads. */
  readonly sync?: Sync;
  /** Frees some room for the log on a full disk; false: it has none. Default: there is none. */
  readonly makeRoom?: (() => boolean) | undefined;
  /** Events written with one sync. */
  readonly batchSize?: number;
  /** Told when the export begins to fail, and when it fails for another reason; it goes on trying by itself. */
  readonly onProblem: (message: string, error?: unknown) => void;
}

export interface AuditHealth {
  /** How long the oldest event has waited that is not on disk yet; 0: none waits. */
  readonly lagSeconds: number;
  /** The last attempt failed. */
  readonly failing: boolean;
  readonly error: string | null;
}

/**
 * Copies the event log to files, a JSON object a line, each event once and in order. Starts at once; woken by commits;
 * tries again every second while it fails.
 *
 * Written, synced, signed, and only then the state is stored: after a crash between these, what lies beyond the stored
 * offset is the beginning of what comes next, and is written over with the same bytes.
 */
export class AuditExporter {
  readonly #parts: AuditExporterParts;
  readonly #sync: Sync;
  readonly #batchSize: number;
  readonly #lag = new ExportLag();
  readonly #stopListening: () => void;
  readonly #firstAttempt: Promise<void>;
  #log: AuditLog | null = null;
  /** Undefined: not known, to be read. */
  #state: ExportState | null | undefined;
  #failure: Error | null = null;
  #attempt: Promise<void> | null = null;
  #wokenMeanwhile = false;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(parts: AuditExporterParts) {
    this.#parts = parts;
    this.#sync = parts.sync ?? ((handle: FileHandle) => handle.sync());
    this.#batchSize = parts.batchSize ?? BATCH_SIZE;
    this.#stopListening = parts.catalog.onCommitted((seq) => {
      this.#lag.committed(seq);
      this.#wake();
    });
    this.#firstAttempt = this.#try();
  }

  health(): AuditHealth {
    return {
      lagSeconds: this.#lag.seconds(),
      failing: this.#failure !== null,
      error: this.#failure && reason(this.#failure),
    };
  }

  /**
   * Why nothing may be purged now; null: purging is allowed. Waits for the first attempt, and looks at the log file
   * each time, so that a purge is refused before anything had to be written in vain.
   */
  async purgeRefusal(): Promise<Refused | null> {
    // First, so that a disk which hangs is no reason to hang as well.
    if (this.#closed || this.#lag.seconds() > MAX_LAG_SECONDS) return behind();
    if (!(await within(WAIT_TIMEOUT_MS, this.#lookAtLog()))) return behind();
    return this.#failure && unwritable(this.#failure);
  }

  /** Resolves when every event committed before the call is on disk. Rejects with the reason when an attempt fails. */
  async flush(): Promise<void> {
    const newest = await this.#parts.catalog.lastSeq();
    while (this.#failure || this.#state === undefined || (this.#state?.seq ?? 0) < newest) {
      if (this.#closed) throw new Error("the audit export is closed");
      await this.#tryAgain();
      if (this.#failure) throw this.#failure;
    }
  }

  /** Finishes the attempt under way and stops for good; what is left is exported after the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopListening();
    if (this.#timer) clearTimeout(this.#timer);
    await this.#attempt;
    await this.#deleteLog();
  }

  #wake(): void {
    if (this.#attempt !== null) this.#wokenMeanwhile = true;
    else this.#schedule(BATCH_DELAY_MS);
  }

  #schedule(delayMs: number): void {
    if (this.#closed || this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#attempt === null) void this.#try();
    }, delayMs);
    this.#timer.unref();
  }

  /** An attempt that begins after the call. */
  async #tryAgain(): Promise<void> {
    while (this.#attempt !== null) await this.#attempt;
    await this.#try();
  }

  #try(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#wokenMeanwhile = false;
    this.#attempt = this.#export().then(
      () => this.#ended(null),
      async (error: unknown) => {
        // What was on disk, and what the catalog knows of it, is looked at anew.
        this.#state = undefined;
        await this.#deleteLog();
        this.#ended(error instanceof Error ? error : new Error(String(error)));
      },
    );
    return this.#attempt;
  }

  #ended(failure: Error | null): void {
    const before = this.#failure && reason(this.#failure);
    if (failure && reason(failure) !== before && !this.#closed) {
      this.#parts.onProblem("the audit log cannot be written; nothing is purged until it can be", failure);
    }
    this.#failure = failure;
    this.#attempt = null;
    if (failure) this.#schedule(RETRY_MS);
    else if (this.#wokenMeanwhile) this.#schedule(BATCH_DELAY_MS);
  }

  async #export(): Promise<void> {
    const { catalog } = this.#parts;
    if (this.#state === undefined) {
      const [state, newest] = await Promise.all([catalog.exportState(), catalog.lastSeq()]);
      this.#state = state;
      this.#lag.committed(newest);
      this.#lag.exported(state?.seq ?? 0);
    }
    const log = await this.#withRoom(() => this.#logToWrite());
    while (!this.#closed) {
      const { events } = await catalog.eventsAfter({}, this.#state?.seq ?? 0, this.#batchSize);
      if (events.length === 0) return;
      const state = await this.#withRoom(() => log.append(events));
      await catalog.commit({ kind: "exported", state });
      this.#state = state;
      this.#lag.exported(state.seq);
    }
  }

  async #withRoom<T>(write: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if ((code !== "ENOSPC" && code !== "EDQUOT") || !this.#parts.makeRoom?.()) throw error;
      }
    }
  }

  /** That of the last attempt while its files are as that left them, else where the log goes on. */
  async #logToWrite(): Promise<AuditLog> {
    if (await this.#log?.stands()) return this.#log as AuditLog;
    await this.#deleteLog();
    const { directory, key, segmentBytes } = this.#parts;
    this.#log = await AuditLog.open(
      {
        directory,
        key,
        segmentBytes: segmentBytes ?? Number.POSITIVE_INFINITY,
        eventsAfter: (seq) => this.#eventsAfter(seq),
        sync: this.#sync,
      },
      this.#state ?? null,
    );
    return this.#log;
  }

  async *#eventsAfter(seq: number): AsyncGenerator<readonly LifecycleEvent[], void, undefined> {
    for (let from = seq; ; ) {
      const { events } = await this.#parts.catalog.eventsAfter({}, from, this.#batchSize);
      const last = events.at(-1);
      if (!last) return;
      yield events;
      from = last.seq;
    }
  }

  /** Afterwards it is known whether the export fails now. */
  async #lookAtLog(): Promise<void> {
    await this.#firstAttempt;
    if (this.#attempt !== null) await this.#attempt;
    // What cannot be told, an attempt will tell.
    const stands = await this.#log?.stands().catch(() => false);
    if (!stands && !this.#failure) await this.#tryAgain();
  }

  async #deleteLog(): Promise<void> {
    const log = this.#log;
    this.#log = null;
    await log?.close();
  }
}

/** The system's code where there is one: messages name paths, which are nobody's business outside. */
function reason(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message;
}

function unwritable(failure: Error): Refused {
  return new Refused(
    "UNAVAILABLE",
    `Nothing is purged while the audit log cannot be written (${reason(failure)}). Purge again once it can be.`,
    { retryAfterSeconds: 5 },
    { cause: failure },
  );
}

function behind(): Refused {
  return new Refused(
    "UNAVAILABLE",
    "Nothing is purged while the audit log is behind. Purge again once it has caught up.",
    { retryAfterSeconds: 5 },
  );
}

/** False: it took longer. */
async function within(ms: number, work: Promise<void>): Promise<boolean> {
  const timeout = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => timeout.resolve(false), ms);
  try {
    return await Promise.race([work.then(() => true), timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}
