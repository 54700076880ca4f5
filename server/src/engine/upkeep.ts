import { keyText } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Catalog } from "../catalog/catalog.ts";
import { ANSWER_LIFETIME_MS } from "../catalog/commit/retry.ts";
import type { TierStore } from "../tiers/tier-store.ts";
import type { TierView } from "../tiers/tier-view.ts";
import type { Abandoned } from "./abandoned.ts";
import type { Backlog } from "./backlog.ts";
import type { Clock } from "./clock.ts";
import { collect } from "./collect.ts";
import { Deferred, publish } from "./publish.ts";
import { Relocation, type RelocationParts } from "./relocation.ts";
import { settle } from "./settle.ts";

/** Pause after a commit, so that the work of a burst of commits is done together. */
const BATCH_DELAY_MS = 20;
const RETRY_MS = 1000;
const CLOSING_ATTEMPTS = 3;

/** Stored answers deleted per commit. */
const SWEPT_ANSWERS = 256;

/** Answers are kept this much longer than they are valid: a running request may have found one that was. */
const SWEEP_GRACE_MS = 60 * 60 * 1000;

export interface UpkeepParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly stores: ReadonlyMap<string, TierStore>;
  /** The view that is published; null: none. */
  readonly view: TierView | null;
  readonly backlog: Backlog;
  readonly abandoned: Abandoned;
  /** What relocation needs besides the stores. */
  readonly relocation: Pick<RelocationParts, "random" | "reader" | "storeIds" | "owner">;
  /** False: a backup pins the objects, so none is deleted. */
  readonly mayCollect: () => boolean;
  /** False: works only in `drain`. */
  readonly byItself: boolean;
  /** Reports failures and quarantined files; upkeep continues on its own. */
  readonly onProblem: (message: string, error?: unknown) => void;
}

/** One kind of work, done in batches. */
interface Duty {
  readonly name: string;
  /** Does one batch and returns its size; 0: nothing is left that must be done before the pass ends. */
  readonly batch: () => Promise<number>;
  /** When its last batch failed; null: it did not. */
  failedAt: number | null;
}

/**
 * The work that follows commits: abandon, settle, relocate, publish, collect and sweep. One batch of each in turn, so
 * that none starves under load, and never two at the same time. The work of each store is done separately, so one that
 * fails does not block the others; the work of a store that is not in `stores` waits until it is opened.
 *
 * States:
 * - idle: nothing is known to be left.
 * - scheduled: a timer runs, for 20 ms after a commit or 1 s after a failure.
 * - running: a pass repeats the batches until all of them return 0.
 * - closed: `close` stops the timer and the running pass.
 *
 * A commit moves idle to scheduled; during a pass it schedules another one. The timer and `drain` start a pass. After a
 * pass without failures upkeep is idle again; after one with a failure, or while a backup pins garbage, it is scheduled.
 * A duty that failed is retried after a second and does not block the others.
 *
 * Content is copied to another store beside the passes, which start and commit the copies.
 */
export class Upkeep {
  readonly #parts: UpkeepParts;
  readonly #duties: readonly Duty[];
  readonly #relocations: readonly Relocation[];
  readonly #stopListening: () => void;
  /** Keys that could not be published in this pass. */
  readonly #deferred = new Deferred();
  #running: Promise<boolean> | null = null;
  #wokenWhileRunning = false;
  /** There is garbage to collect, and a backup pins it. */
  #garbageIsPinned = false;
  /** Why the last attempt to settle failed, by store. */
  readonly #unsettled = new Map<TierStore, Refused | null>();
  /** Wakes upkeep for garbage whose grace has passed. */
  readonly #graceTimer: NodeJS.Timeout | null = null;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
    const { abandoned, byItself, catalog } = parts;
    const stores = [...parts.stores.values()];
    // With one store, nothing can be misplaced.
    this.#relocations = (stores.length > 1 ? stores : []).map(
      (store) => new Relocation({ ...parts, ...parts.relocation }, store, () => this.wake()),
    );
    this.#duties = [
      { name: "abandon", batch: () => abandoned.batch(), failedAt: null },
      ...stores.map((store) => ({ name: "settle", batch: () => this.#settle(store), failedAt: null })),
      ...this.#relocations.map((one) => ({ name: "relocate", batch: () => one.batch(), failedAt: null })),
      { name: "publish", batch: () => this.#publish(), failedAt: null },
      ...stores.map((store) => ({ name: "collect", batch: () => this.#collect(store), failedAt: null })),
      { name: "sweep", batch: () => this.#sweepAnswers(), failedAt: null },
    ];
    this.#stopListening = catalog.onCommitted(() => this.wake());
    const graceMs = Math.max(0, ...stores.map((store) => store.graceMs));
    if (byItself && graceMs > 0) this.#graceTimer = setInterval(() => this.wake(), graceMs).unref();
  }

  /** Starts a pass soon, because there may be work. */
  wake(): void {
    if (this.#running !== null) this.#wokenWhileRunning = true;
    else this.#schedule(BATCH_DELAY_MS);
  }

  /** Runs passes until no copy is left. Returns false where a duty failed and will be retried. */
  async drain(): Promise<boolean> {
    for (const relocation of this.#relocations) relocation.retry();
    for (;;) {
      while (this.#running !== null) await this.#running;
      const isClean = await this.#run();
      if (this.#closed || !this.#relocations.some(({ isBusy }) => isBusy)) return isClean;
      for (const relocation of this.#relocations) await relocation.settled();
    }
  }

  /**
   * Drains until `deadline` at most (ms since the epoch, system clock), then closes. Work that is left, or that fails
   * three times in a row, waits for the next start: a shutdown does not wait for a broken disk.
   */
  async close(deadline: number): Promise<void> {
    for (const relocation of this.#relocations) await relocation.close();
    const expired = setTimeout(() => this.#stop(), Math.max(0, deadline - Date.now()));
    for (let attempt = 0; attempt < CLOSING_ATTEMPTS && !this.#closed; attempt++) {
      if (await this.drain()) break;
      await sleep(RETRY_MS / 10);
    }
    clearTimeout(expired);
    this.#stop();
    await this.#running;
  }

  #stop(): void {
    this.#closed = true;
    this.#stopListening();
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#graceTimer) clearInterval(this.#graceTimer);
  }

  #schedule(delayMs: number): void {
    if (this.#closed || this.#timer || !this.#parts.byItself) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#running === null) void this.#run();
    }, delayMs);
    this.#timer.unref();
  }

  #run(): Promise<boolean> {
    if (this.#closed) return Promise.resolve(true);
    this.#wokenWhileRunning = false;
    this.#deferred.clear();
    this.#garbageIsPinned = false;
    for (const duty of this.#duties) duty.failedAt = null;
    this.#running = this.#pass().then((clean) => {
      this.#running = null;
      if (!clean || this.#garbageIsPinned) this.#schedule(RETRY_MS);
      else if (this.#wokenWhileRunning) this.#schedule(BATCH_DELAY_MS);
      return clean;
    });
    return this.#running;
  }

  async #pass(): Promise<boolean> {
    let processed: number;
    do {
      processed = 0;
      for (const duty of this.#duties) {
        if (this.#closed) return true;
        if (duty.failedAt === null || performance.now() - duty.failedAt > RETRY_MS)
          processed += await this.#do(duty);
      }
    } while (processed > 0);
    const isRetrying = this.#relocations.some((relocation) => relocation.isRetrying);
    return (
      !isRetrying && this.#deferred.size === 0 && this.#duties.every(({ failedAt }) => failedAt === null)
    );
  }

  async #do(duty: Duty): Promise<number> {
    try {
      const processed = await duty.batch();
      duty.failedAt = null;
      return processed;
    } catch (error) {
      duty.failedAt = performance.now();
      this.#parts.onProblem(`${duty.name} failed and will be retried`, error);
      return 0;
    }
  }

  /** Also tells the backlog how much content is inline, and why it cannot be settled. */
  async #settle(store: TierStore): Promise<number> {
    let problem: Refused | null = null;
    try {
      return await settle(this.#parts.catalog, store);
    } catch (error) {
      if (error instanceof Refused) problem = error;
      throw error;
    } finally {
      this.#unsettled.set(store, problem);
      await this.#refreshBacklog();
    }
  }

  async #collect(store: TierStore): Promise<number> {
    const { catalog, clock, mayCollect } = this.#parts;
    const collected = await collect(catalog, store, clock.now(), mayCollect);
    if (collected === null) this.#garbageIsPinned = true;
    return collected ?? 0;
  }

  /** Deletes expired answers, one batch per round. Returns 0: a pass, and so a shutdown, does not wait for the rest. */
  async #sweepAnswers(): Promise<number> {
    const { catalog, clock } = this.#parts;
    const before = clock.now() - ANSWER_LIFETIME_MS - SWEEP_GRACE_MS;
    const oldest = await catalog.oldestAnswer();
    if (oldest !== null && oldest < before)
      await catalog.commit({ kind: "sweepAnswers", before, limit: SWEPT_ANSWERS });
    return 0;
  }

  /** A key that fails to publish does not block other keys. */
  async #publish(): Promise<number> {
    const { catalog, stores, view, onProblem } = this.#parts;
    const { keys, quarantined, failed } = await publish(catalog, stores, view, this.#deferred);
    const [moved] = quarantined;
    if (moved) {
      // One line per batch: after a reindex, each old sidecar of an adopted tree is such a file.
      const { path, movedTo } = moved;
      onProblem(
        `foreign files blocked paths of the published tree and were moved to quarantine: ${quarantined.length}; the first, ${path}, is now ${movedTo}`,
      );
    }
    const [unpublished] = failed;
    if (unpublished) {
      const name = keyText(unpublished.key);
      onProblem(`${failed.length} keys cannot be published yet; the first, ${name}: ${unpublished.error}`);
    }
    return keys - failed.length;
  }

  async #refreshBacklog(): Promise<void> {
    try {
      const { bytes } = await this.#parts.catalog.unsettledTotal();
      const problem = [...this.#unsettled.values()].find((found) => found !== null) ?? null;
      this.#parts.backlog.refresh(bytes, problem);
    } catch (error) {
      this.#parts.onProblem("the backlog cannot be read", error);
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
