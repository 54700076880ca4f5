import { keyText } from "@tierkeep/schema/domain/keys";
import { Refused } from "@tierkeep/schema/domain/refusals";
import type { Catalog } from "../catalog/catalog.ts";
import type { TierStore } from "../tiers/tier-store.ts";
import type { Abandoned } from "./abandoned.ts";
import type { Backlog } from "./backlog.ts";
import type { Clock } from "./clock.ts";
import { collect } from "./collect.ts";
import { publish } from "./publish.ts";
import { settle } from "./settle.ts";
import { forget } from "./sweep-answers.ts";

/** A pause after a commit, so that a burst of them is settled and published together. */
const BATCH_DELAY_MS = 20;
const RETRY_MS = 1000;
const CLOSING_ATTEMPTS = 3;

export interface UpkeepParts {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly stores: ReadonlyMap<string, TierStore>;
  /** The store whose view is published; every tier's links stand there. */
  readonly viewStore: TierStore;
  readonly backlog: Backlog;
  readonly abandoned: Abandoned;
  /** False: objects stay for now. */
  readonly mayCollect: () => boolean;
  /** False: works only when drained. */
  readonly byItself: boolean;
  /** Told what went wrong or was found in the way; upkeep goes on by itself. */
  readonly onProblem: (message: string, error?: unknown) => void;
}

/** One kind of work: a batch of it at a time, and when it failed last. */
interface Duty {
  readonly name: string;
  /** How much the batch treated; 0: nothing is left that must be done before a pass is over. */
  readonly batch: () => Promise<number>;
  failedAt: number | null;
}

/**
 * What follows commits and writes that were given up: abandon, settle, publish, collect and forget, a batch of each in turn, never two at once, so that none
 * starves under load. Woken by commits. A duty that failed is tried again after a second and keeps the others from nothing.
 */
export class Upkeep {
  readonly #parts: UpkeepParts;
  readonly #duties: readonly Duty[];
  readonly #stopListening: () => void;
  /** Keys whose publication failed in this pass. */
  readonly #passedOver = new Set<string>();
  #running: Promise<boolean> | null = null;
  #wokenMeanwhile = false;
  /** Garbage that could be collected may not be, for now. */
  #collectIsHeld = false;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
    const { abandoned, catalog } = parts;
    this.#duties = [
      { name: "abandon", batch: () => abandoned.batch(), failedAt: null },
      { name: "settle", batch: () => this.#settle(), failedAt: null },
      { name: "publish", batch: () => this.#publish(), failedAt: null },
      { name: "collect", batch: () => this.#collect(), failedAt: null },
      { name: "forget", batch: () => this.#forget(), failedAt: null },
    ];
    this.#stopListening = catalog.onCommitted(() => this.wake());
  }

  /** Something may be left to do; looks soon. */
  wake(): void {
    if (this.#running !== null) this.#wokenMeanwhile = true;
    else this.#schedule(BATCH_DELAY_MS);
  }

  /** Works now until nothing is left. False: something failed, and will be tried again. */
  async drain(): Promise<boolean> {
    while (this.#running !== null) await this.#running;
    return this.#run();
  }

  /**
   * Drains, until `deadline` (ms since the epoch by the system's clock) at most, then stops for good. What is left, or
   * fails again at once, waits for the next start: nobody waits for a disk that is broken.
   */
  async close(deadline: number): Promise<void> {
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
    this.#wokenMeanwhile = false;
    this.#passedOver.clear();
    for (const duty of this.#duties) duty.failedAt = null;
    this.#running = this.#pass().then((clean) => {
      this.#running = null;
      if (!clean || this.#collectIsHeld) this.#schedule(RETRY_MS);
      else if (this.#wokenMeanwhile) this.#schedule(BATCH_DELAY_MS);
      return clean;
    });
    return this.#running;
  }

  async #pass(): Promise<boolean> {
    let treated: number;
    do {
      treated = 0;
      for (const duty of this.#duties) {
        if (this.#closed) return true;
        if (duty.failedAt === null || performance.now() - duty.failedAt > RETRY_MS)
          treated += await this.#do(duty);
      }
    } while (treated > 0);
    return this.#passedOver.size === 0 && this.#duties.every(({ failedAt }) => failedAt === null);
  }

  async #do(duty: Duty): Promise<number> {
    try {
      const treated = await duty.batch();
      duty.failedAt = null;
      return treated;
    } catch (error) {
      duty.failedAt = performance.now();
      this.#parts.onProblem(`${duty.name} failed and will be tried again`, error);
      return 0;
    }
  }

  /** The backlog learns what rides by now, and what is in the way of settling it. */
  async #settle(): Promise<number> {
    const { catalog, stores } = this.#parts;
    try {
      const settled = await settle(catalog, stores);
      await this.#refreshBacklog(null);
      return settled;
    } catch (error) {
      await this.#refreshBacklog(error instanceof Refused ? error : null);
      throw error;
    }
  }

  async #collect(): Promise<number> {
    const { catalog, stores, clock, mayCollect } = this.#parts;
    const collected = await collect(catalog, stores, clock.now(), mayCollect);
    this.#collectIsHeld = collected === null;
    return collected ?? 0;
  }

  /** A batch a turn, and none for its own sake: a shutdown does not wait for a day's answers to go. */
  async #forget(): Promise<number> {
    await forget(this.#parts.catalog, this.#parts.clock.now());
    return 0;
  }

  /** A key that cannot be published keeps no other from it. */
  async #publish(): Promise<number> {
    const { catalog, viewStore, onProblem } = this.#parts;
    const { keys, quarantined, failed } = await publish(catalog, viewStore.view, this.#passedOver);
    const [moved] = quarantined;
    if (moved) {
      // A line a batch: where a tree is adopted, every sidecar of the system before is one of these.
      const { path, movedTo } = moved;
      onProblem(
        `files that are not ours stood in the way of the published tree and are in quarantine now: ${quarantined.length}; the first, ${path}, as ${movedTo}`,
      );
    }
    const [unpublished] = failed;
    if (unpublished) {
      const name = keyText(unpublished.key);
      onProblem(`${failed.length} keys cannot be published yet; the first, ${name}: ${unpublished.error}`);
    }
    return keys - failed.length;
  }

  async #refreshBacklog(trouble: Refused | null): Promise<void> {
    try {
      const { bytes } = await this.#parts.catalog.unsettledTotal();
      this.#parts.backlog.refresh(bytes, trouble);
    } catch (error) {
      this.#parts.onProblem("the backlog cannot be read", error);
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
