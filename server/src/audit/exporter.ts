import type { FileHandle } from "node:fs/promises";
import type { LifecycleEvent } from "@tierkeep/schema/domain/events";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Catalog } from "../catalog/catalog.ts";
import type { ExportState } from "../catalog/rows.ts";
import { AuditLog } from "./audit-log.ts";
import { ExportLag } from "./export-lag.ts";
import type { Sync } from "./log-file.ts";
import type { SigningKey } from "./signing-key.ts";

/** Delay after a commit, so that a burst of events costs one sync and one commit of the state. */
const BATCH_DELAY_MS = 50;
const RETRY_MS = 1000;
const BATCH_SIZE = 500;
/** How long a purge waits for the result of an attempt, in ms. */
const WAIT_TIMEOUT_MS = 10_000;
/** Purges are refused while an event has waited longer than this. */
const MAX_LAG_SECONDS = 60;

export interface AuditExporterParts {
  readonly catalog: Catalog;
  /** Folder of the log. It is created if it is missing. */
  readonly directory: string;
  /** Signs what was written. */
  readonly key: SigningKey;
  /** Size at which a file of the log is full and the next one is started. Default: no limit. */
  readonly segmentBytes?: number | null | undefined;
  /** Makes a file durable. Default: fsync, one at a time on a libuv thread. */
  readonly sync?: Sync;
  /** Frees space for the log on a full disk. Returns false if there is none left. Default: none. */
  readonly makeRoom?: (() => boolean) | undefined;
  /** Events written with one sync. */
  readonly batchSize?: number;
  /** Called when the export starts to fail, and when the reason changes. The exporter retries by itself. */
  readonly onProblem: (message: string, error?: unknown) => void;
}

export interface AuditHealth {
  /** Age of the oldest event that is not on disk yet; 0 if there is none. */
  readonly lagSeconds: number;
  /** Whether the last attempt failed. */
  readonly failing: boolean;
  readonly error: string | null;
}

/**
 * Copies the event log to files, one JSON object per line, each event once and in order.
 *
 * States:
 * - attempting: writes, syncs and signs batches of events, and stores the state after each one, until no
 *   events are left
 * - idle: waits for a commit; an attempt follows after 50 ms
 * - failing: the last attempt failed and purges are refused; the next attempt follows after a second
 * - closed: by `close`, after the current attempt
 *
 * It starts with an attempt. The state is stored last: after a crash, bytes beyond the stored offset are the
 * start of the next events, and are overwritten with the same bytes.
 */
export class AuditExporter {
  readonly #parts: AuditExporterParts;
  readonly #sync: Sync;
  readonly #batchSize: number;
  readonly #lag = new ExportLag();
  readonly #stopListening: () => void;
  readonly #firstAttempt: Promise<void>;
  #log: AuditLog | null = null;
  /** Undefined: it must be read from the catalog. */
  #state: ExportState | null | undefined;
  #failure: Error | null = null;
  #attempt: Promise<void> | null = null;
  #isWokenAgain = false;
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
   * Returns why nothing may be purged now; null: purging is allowed. Waits for the first attempt and checks
   * the log file on each call, so a purge is refused before the first write fails.
   */
  async purgeRefusal(): Promise<Refused | null> {
    // Check the lag first, so that a hanging disk does not make this call hang.
    if (this.#closed || this.#lag.seconds() > MAX_LAG_SECONDS) return behind();
    if (!(await within(WAIT_TIMEOUT_MS, this.#checkLog()))) return behind();
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

  /** Finishes the current attempt and stops. Remaining events are exported after the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopListening();
    if (this.#timer) clearTimeout(this.#timer);
    await this.#attempt;
    await this.#closeLog();
  }

  #wake(): void {
    if (this.#attempt !== null) this.#isWokenAgain = true;
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

  /** Makes an attempt that starts after the call. */
  async #tryAgain(): Promise<void> {
    while (this.#attempt !== null) await this.#attempt;
    await this.#try();
  }

  #try(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#isWokenAgain = false;
    this.#attempt = this.#export().then(
      () => this.#ended(null),
      async (error: unknown) => {
        // Read the files and the catalog's state again.
        this.#state = undefined;
        await this.#closeLog();
        this.#ended(error instanceof Error ? error : new Error(String(error)));
      },
    );
    return this.#attempt;
  }

  #ended(failure: Error | null): void {
    const before = this.#failure && reason(this.#failure);
    if (failure && reason(failure) !== before && !this.#closed) {
      this.#parts.onProblem(
        "the audit log cannot be written; purges are refused until it can be written again",
        failure,
      );
    }
    this.#failure = failure;
    this.#attempt = null;
    if (failure) this.#schedule(RETRY_MS);
    else if (this.#isWokenAgain) this.#schedule(BATCH_DELAY_MS);
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

  /**
   * Returns the open log of the last attempt if its files are unchanged; otherwise opens the log where it
   * continues.
   */
  async #logToWrite(): Promise<AuditLog> {
    if (await this.#log?.isIntact()) return this.#log as AuditLog;
    await this.#closeLog();
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

  /** Finds out whether the export fails now. */
  async #checkLog(): Promise<void> {
    await this.#firstAttempt;
    if (this.#attempt !== null) await this.#attempt;
    // If the check itself fails, an attempt shows the reason.
    const isIntact = await this.#log?.isIntact().catch(() => false);
    if (!isIntact && !this.#failure) await this.#tryAgain();
  }

  async #closeLog(): Promise<void> {
    const log = this.#log;
    this.#log = null;
    await log?.close();
  }
}

/** Returns the system's error code if there is one. Messages contain paths, which clients must not see. */
function reason(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message;
}

function unwritable(failure: Error): Refused {
  return new Refused(
    "UNAVAILABLE",
    `Purges are refused while the audit log cannot be written (${reason(failure)}). Try again later. If the error persists, check the server's log and the folder of the audit log.`,
    { retryAfterSeconds: 5 },
    { cause: failure },
  );
}

function behind(): Refused {
  return new Refused(
    "UNAVAILABLE",
    "Purges are refused while many events wait to be written to the audit log. Try again in a few seconds.",
    { retryAfterSeconds: 5 },
  );
}

/** Returns false if the work takes longer. */
async function within(ms: number, work: Promise<void>): Promise<boolean> {
  const timeout = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => timeout.resolve(false), ms);
  try {
    return await Promise.race([work.then(() => true), timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}
