import type { Catalog } from "../catalog/catalog.ts";
import type { ObjectId } from "../catalog/rows.ts";
import type { Clock } from "./clock.ts";
import { commitAllOf } from "./commit-all.ts";

/** Rows treated in one commit, so that a crowd left by a crash holds up no writer. */
const BATCH = 500;

/**
 * Staged objects that nobody will finish: what this process gives up, and what a dead owner had begun. They become
 * garbage; nothing else is ever deleted at start.
 */
export class Abandoned {
  readonly #catalog: Catalog;
  readonly #clock: Clock;
  readonly #owner: string;
  readonly #own = new Set<ObjectId>();
  #orphansLeft = true;

  constructor(catalog: Catalog, clock: Clock, owner: string) {
    this.#catalog = catalog;
    this.#clock = clock;
    this.#owner = owner;
  }

  /** Gives up objects of ours: in the catalog before it resolves where that can be written, else with a later batch. */
  async add(objects: readonly ObjectId[]): Promise<void> {
    for (const object of objects) this.#own.add(object);
    try {
      await this.#abandon(objects);
    } catch {}
  }

  /** Writes what is not in the catalog yet. How many objects that were; 0: nothing is left. */
  async batch(): Promise<number> {
    if (this.#orphansLeft) {
      const change = { kind: "abandonOrphaned", owner: this.#owner, limit: BATCH } as const;
      const count = await this.#catalog.commit({ ...change, at: this.#clock.now() });
      if (count < BATCH) this.#orphansLeft = false;
      if (count > 0) return count;
    }
    const own = [...this.#own].slice(0, BATCH);
    await this.#abandon(own);
    return own.length;
  }

  /** Harmless where the write took place after all: then the object is not staged any more. */
  async #abandon(objects: readonly ObjectId[]): Promise<void> {
    const at = this.#clock.now();
    await commitAllOf(
      this.#catalog,
      objects.map((object) => ({ kind: "abandon" as const, object, at })),
    );
    for (const object of objects) this.#own.delete(object);
  }
}
